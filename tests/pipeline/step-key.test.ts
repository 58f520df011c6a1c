import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeyedStep, keyOfStep, parametersOf, toCanonicalJson } from '../../nodes/pipeline/step-key.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const STEP = {
  id: 'a',
  type: 'merge',
  models: [{ path: 'x', weight: 0.5, description: 'base' }],
  prune: true,
  output: 'out',
};
const keyed = (more: Partial<KeyedStep> = {}): KeyedStep => ({
  inputs: new Map([
    ['models[0]', { data: 'ff' }],
    ['base', { step: '00' }],
  ]),
  operation: 'merge/linear',
  parameters: parametersOf(STEP),
  methodVersion: 1,
  engineVersion: 1,
  ...more,
});
const keyOf = (more: Partial<KeyedStep> = {}): string => keyOfStep(keyed(more), sha256);

test('what is hashed is the canonical JSON of all that matters, and nothing else', () => {
  expect(keyOfStep(keyed(), (text) => text)).toBe(
    '{"engineVersion":1,"inputs":{"base":{"step":"00"},"models[0]":{"data":"ff"}},"methodVersion":1,"operation":"merge/linear","parameters":{"models":[{"weight":0.5}],"prune":true,"type":"merge"}}',
  );
});

test('names, paths and devices do not matter; numbers, precision and order of models do', () => {
  const same = [
    { ...STEP, id: 'b', name: 'n', device: 'cuda', dependencies: ['x'] },
    { ...STEP, output: { path: 'elsewhere' } },
    { ...STEP, models: [{ step: 'y', weight: 0.5, architecture: 'SDXL' }] },
  ];
  for (const step of same) expect(keyOf({ parameters: parametersOf(step) })).toBe(keyOf());
  const others = [
    { ...STEP, models: [{ path: 'x', weight: 0.5000001 }] },
    { ...STEP, output: { path: 'out', precision: 'fp16' } },
    { ...STEP, params: { path: 1 } },
    { ...STEP, prune: 'ema' },
  ];
  for (const step of others) expect(keyOf({ parameters: parametersOf(step) })).not.toBe(keyOf());
  expect(
    keyOf({
      inputs: new Map([
        ['models[0]', { step: 'ff' }],
        ['base', { step: '00' }],
      ]),
    }),
  ).not.toBe(keyOf());
  const param = (path: number) => keyOf({ parameters: parametersOf({ ...STEP, params: { path } }) });
  expect(param(1), 'a parameter may have any name').not.toBe(param(2));
  expect(keyOf({ methodVersion: 2 })).not.toBe(keyOf());
  expect(keyOf({ engineVersion: 2 })).not.toBe(keyOf());
});

test('one text for one value, whatever the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = toCanonicalJson(value);
      // -0 is no JSON of its own.
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      const turned = JSON.parse(text, (_, each: unknown) =>
        typeof each === 'object' && each !== null && !Array.isArray(each)
          ? Object.fromEntries(Object.entries(each).reverse())
          : each,
      );
      expect(toCanonicalJson(turned)).toBe(text);
    }),
  );
  expect(toCanonicalJson({ b: undefined, a: [undefined, Number.NaN] })).toBe('{"a":[null,null]}');
});
