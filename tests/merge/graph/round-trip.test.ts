import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { manifestToNodes } from '../../../nodes/merge/graph/manifest-to-nodes.ts';
import { nodesToManifest } from '../../../nodes/merge/graph/nodes-to-manifest.ts';
import { readManifest } from '../../../nodes/pipeline/read-manifest.ts';

const folder = new URL('../../../fixtures/examples/merge/', import.meta.url);
const examples = readdirSync(folder).filter((name) => /\.(json|yaml)$/.test(name));

describe('a manifest opens as nodes, and these save as the same manifest', () => {
  test.each(examples)('%s', (name) => {
    const manifest: unknown = parse(readFileSync(new URL(name, folder), 'utf8'));
    const { prompt, run } = manifestToNodes(manifest);
    const read = readManifest(manifest);
    expect(read.findings).toEqual([]);
    expect(readManifest(nodesToManifest(prompt, run))).toEqual(read);
    console.log(name, Object.values(prompt).map(({class_type}) => class_type).join(' '));
  });
});
