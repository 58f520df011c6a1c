import { expect, test } from 'vitest';
import { type Aim, aimManifest, resultOf, resultPath } from '../../nodes/pipeline/aim-manifest.ts';
import { readManifest } from '../../nodes/pipeline/read-manifest.ts';

const a = { path: 'a' };
const merge = (id: string, more: object = {}) => ({ id, type: 'merge', models: [a], ...more });

function manifestOf(steps: readonly object[]) {
  const { manifest } = readManifest({ pipeline: { steps } });
  if (!manifest) throw new Error('no manifest');
  return manifest;
}

/** The outputs by step, after. */
function aimed(steps: readonly object[], aim: Partial<Aim> = {}): Record<string, unknown> {
  const result = readManifest(aimManifest(manifestOf(steps), { path: 'here', ...aim }));
  expect(result.findings).toEqual([]);
  return Object.fromEntries(
    (result.manifest?.steps ?? []).map((step) => [step.id, 'output' in step ? step.output : null]),
  );
}

test('one output stays, at the given path; all others lose theirs and keep their precision', () => {
  const steps = [
    merge('x', { output: '/etc/x' }),
    merge('y', { models: [{ step: 'x' }], output: { path: '../y', precision: 'fp32' } }),
    merge('z', {
      models: [{ step: 'y' }],
      output: { path: 'z', precision: 'bf16', sharding: { max_bytes: 9 } },
    }),
  ];
  expect(aimed(steps)).toEqual({
    x: null,
    y: { precision: 'fp32' },
    z: { path: 'here', precision: 'bf16' },
  });
  expect(aimed(steps, { precision: 'fp16' })['z']).toEqual({ path: 'here', precision: 'fp16' });
  expect(resultPath(manifestOf(steps))).toBe('z');
});

test('paths inside loops and branches go too', () => {
  const inner = [merge('i', { output: '/etc/i' })];
  const text = JSON.stringify(
    aimManifest(manifestOf([{ id: 'l', type: 'loop', times: 2, start: a, steps: inner }]), { path: 'here' }),
  );
  expect(text).not.toContain('/etc');
});

test('the model of a loop or a branch is copied out', () => {
  const loop = { id: 'l', type: 'loop', times: 2, start: a, steps: [merge('i')] };
  expect(resultOf(manifestOf([merge('x'), loop]))).toBe('l');
  expect(aimed([merge('x'), loop])).toEqual({ x: null, l: null, l_output: { path: 'here' } });
});

test('refuses a second file that comes out, and what makes no checkpoint', () => {
  expect(() => aimed([merge('x', { output: 'x' }), merge('y')])).toThrow('got also "x" of the step "x"');
  const check = { id: 'c', type: 'validate', model: a };
  expect(() => aimed([check])).toThrow('expected a step that makes a checkpoint, got validate');
  expect(() => aimed([merge('x'), check], { result: 'c' })).toThrow('got a step of type validate');
});
