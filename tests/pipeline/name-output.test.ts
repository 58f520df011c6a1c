import { expect, test } from 'vitest';
import { nameOutput } from '../../nodes/pipeline/name-output.ts';

const a = { path: 'a.safetensors' };
const pipelineOf = (...steps: object[]) => ({ pipeline: { name: 'n', steps } });
const first = { id: 'one', type: 'convert', model: a, output: 'one.safetensors' };

test('nothing said, nothing changed', () => {
  const manifest = pipelineOf(first);
  expect(nameOutput(manifest, 'one', {})).toBe(manifest);
  expect(nameOutput(manifest, 'one', { path: undefined, precision: undefined })).toBe(manifest);
  expect(nameOutput('no manifest', 'one', { path: 'x' })).toBe('no manifest');
});

test('the result is named, other steps keep what they say', () => {
  const last = { id: 'two', type: 'merge', models: [{ step: 'one' }] };
  expect(nameOutput(pipelineOf(first, last), 'two', { path: 'x.safetensors' })).toEqual(
    pipelineOf(first, { ...last, output: 'x.safetensors' }),
  );
  expect(nameOutput(pipelineOf(first, last), 'one', { precision: 'bf16' })).toEqual(
    pipelineOf({ ...first, output: { path: 'one.safetensors', precision: 'bf16' } }, last),
  );
  expect(nameOutput(pipelineOf(first, last), undefined, { path: 'x.safetensors' })).toEqual(
    pipelineOf(first, { ...last, output: 'x.safetensors' }),
  );
});

test('what was said of precision and sharding stays beside a new path', () => {
  const output = { path: 'one.safetensors', precision: 'fp16', sharding: { max_bytes: 9 } };
  expect(nameOutput(pipelineOf({ ...first, output }), 'one', { path: 'x.safetensors' })).toEqual(
    pipelineOf({ ...first, output: { ...output, path: 'x.safetensors' } }),
  );
});

test('a single merge', () => {
  expect(nameOutput({ models: [a], output: 'y' }, undefined, { path: 'x', precision: 'fp32' })).toEqual({
    ...{ models: [a], output: { path: 'x', precision: 'fp32' } },
  });
});

test('what a loop ends with is copied into the file', () => {
  const loop = { id: 'round', type: 'loop', times: 2, steps: [first] };
  expect(nameOutput(pipelineOf(loop), 'round', { path: 'x' })).toEqual(
    pipelineOf(loop, {
      id: 'round_output',
      type: 'convert',
      model: { step: 'round' },
      output: { path: 'x' },
    }),
  );
});

test('without a step that makes a model there is nothing to name', () => {
  const manifest = pipelineOf({ id: 'look', type: 'validate', model: a });
  expect(nameOutput(manifest, undefined, { path: 'x' })).toBe(manifest);
});
