import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readImports } from './house/imports.ts';
import { findBreaches, RINGS } from './house/layers.ts';
import { readSources, ROOT } from './house/sources.ts';

const sources = readSources('rules', 'nodes', 'bridge');

describe('the layer rule holds', () => {
  test.each(sources.map((source) => [source.path, source] as const))('%s', (_, source) => {
    expect(findBreaches(source)).toEqual([]);
  });
});
