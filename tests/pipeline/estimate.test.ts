import { describe, expect, test } from 'vitest';
import { checkPipeline, layOutManifest } from '../../nodes/pipeline/check.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import type { PlanOptions } from '../../nodes/pipeline/plan-pipeline.ts';
import { factsOf, fileOf, nothingAt, optionsOf, realTensors } from './models.ts';

/** What the engine says of tensors that it makes whole. */
const NEEDS: Readonly<Record<string, number>> = { big: 500, small: 70, n: 9 };

function estimate(steps: readonly object[], files: readonly FileFacts[], options: Partial<PlanOptions> = {}) {
  const { laidOut, findings } = layOutManifest({ pipeline: { steps } });
  if (!laidOut) throw new Error(JSON.stringify(findings));
  const costs = {
    threads: 2,
    fixedBytes: 1000,
    bytesPerThread: 10,
    needOf: (name: string) => NEEDS[name] ?? 0,
  };
  const checked = checkPipeline(laidOut, factsOf(...files, nothingAt('out')), optionsOf(options), costs);
  expect(checked.findings.filter(({ level }) => level === 'error')).toEqual([]);
  const total = (what: 'readBytes' | 'writeBytes') =>
    [...checked.estimates.values()].reduce((sum, each) => sum + each[what], 0);
  return { ...checked, read: total('readBytes'), written: total('writeBytes') };
}

describe('SDXL in half precision', () => {
  const { tensors, elements } = realTensors('sdxl');
  const files = ['a', 'b', 'c', 'd'].map((path) => fileOf(path, tensors));
  const [header = 0] = files.map(({ headerBytes }) => headerBytes);
  const pair = (id: string, x: object, y: object, output?: object) => ({
    id,
    type: 'merge',
    models: [
      { ...x, weight: 0.5 },
      { ...y, weight: 0.5 },
    ],
    output: { precision: 'fp16', ...output },
  });
  const steps = [
    pair('one', { path: 'a' }, { path: 'b' }),
    pair('two', { path: 'c' }, { path: 'd' }),
    pair('three', { step: 'one' }, { step: 'two' }, { path: 'out' }),
  ];
  // Of the elements, written down from ComfyUI's own model code: position_ids apart, all are halves.
  const GB = 2 * elements;

  test('staged, every step reads two models and writes one', () => {
    const { read, written } = estimate(steps, files);
    expect(Math.abs(read / (6 * (GB + header)) - 1)).toBeLessThan(0.001);
    expect(Math.abs(written / (3 * (GB + header)) - 1)).toBeLessThan(0.001);
  });

  test('fused, every input is read once and the result written once', () => {
    const { read, written } = estimate(steps, files, { mode: 'fused' });
    expect(Math.abs(read / (4 * (GB + header)) - 1)).toBeLessThan(0.001);
    expect(Math.abs(written / (GB + header) - 1)).toBeLessThan(0.001);
  });
});

describe('to the byte', () => {
  const files = ['a', 'b'].map((path) => fileOf(path, { big: 'F16 100', small: 'F16 4', n: 'I64 2' }));
  const [header = 0] = files.map(({ headerBytes }) => headerBytes);
  const merge = (more: object) => [
    { id: 'm', type: 'merge', models: [{ path: 'a' }, { path: 'b' }], output: 'out', ...more },
  ];

  test('both headers, floats of both, integers of the first', () => {
    const { read, written, steps } = estimate(merge({}), files);
    expect(read).toBe(2 * header + 2 * 208 + 16);
    expect(written).toBe(header + 208 + 16);
    expect(steps[0]?.output?.predicted?.facts.bytes).toBe(written);
  });

  test('what the weights leave out is not read', () => {
    const models = [
      { path: 'a', weight: 1 },
      { path: 'b', weight: 0 },
    ];
    expect(estimate(merge({ models }), files).read).toBe(2 * header + 224);
  });

  test('the same model twice is read once', () => {
    expect(estimate(merge({ models: [{ path: 'a' }, { path: 'a' }] }), files).read).toBe(header + 224);
  });

  test('a survey reads again, round by round', () => {
    const ties = merge({
      method: 'ties',
      base: { path: 'a' },
      models: [{ path: 'b' }],
      params: { scope: 'global' },
    });
    const { read, steps } = estimate(ties, files);
    const method = optionsOf().findMethod('ties');
    const value = steps[0]?.job?.tensors.find(({ name }) => name === 'big')?.value;
    if (!('survey' in method) || !method.survey || value?.kind !== 'merged') throw new Error('no survey');
    const { rounds } = method.survey;
    const count = typeof rounds === 'number' ? rounds : rounds(value.params as never);
    expect(count).toBeGreaterThan(0);
    expect(read).toBe(2 * header + 2 * 208 * (1 + count) + 16);
  });

  test('memory: what the engine always takes, and the two neediest tensors on two threads', () => {
    expect(estimate(merge({}), files).estimates.get('m')?.peakMemoryBytes).toBe(1000 + 2 * 10 + 500 + 70);
  });

  test('in several files: each with its header, and the index', () => {
    const output = { path: 'out.safetensors', sharding: { max_bytes: 205 } };
    const { steps, written } = estimate(merge({ output }), [...files, nothingAt('out.safetensors')]);
    const shards = steps[0]?.output?.predicted?.shards;
    expect(shards?.map(({ path, tensors }) => [path, tensors])).toEqual([
      ['out-00001-of-00003.safetensors', ['n']],
      ['out-00002-of-00003.safetensors', ['big']],
      ['out-00003-of-00003.safetensors', ['small']],
    ]);
    const parts = [{ n: 'I64 2' }, { big: 'F16 100' }, { small: 'F16 4' }].map(
      (tensors) => fileOf('x', tensors).bytes,
    );
    const index = JSON.stringify(
      {
        metadata: { total_size: 224 },
        weight_map: {
          big: 'out-00002-of-00003.safetensors',
          n: 'out-00001-of-00003.safetensors',
          small: 'out-00003-of-00003.safetensors',
        },
      },
      null,
      2,
    );
    expect(written).toBe(parts.reduce((sum, bytes) => sum + bytes, 0) + index.length + 1);
  });
});
