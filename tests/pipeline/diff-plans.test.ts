import { expect, test } from 'vitest';
import { checkPipeline, layOutManifest } from '../../nodes/pipeline/check.ts';
import { describeDifference, diffPlans } from '../../nodes/pipeline/diff-plans.ts';
import { factsOf, fileOf, nothingAt, optionsOf } from './models.ts';

function plan(...steps: object[]) {
  const { laidOut, findings } = layOutManifest({ pipeline: { steps } });
  if (!laidOut) throw new Error(JSON.stringify(findings));
  const files = factsOf(fileOf('a', { w: 'F16 4' }), fileOf('b', { w: 'F16 4' }), nothingAt('out'));
  return checkPipeline(laidOut, files, optionsOf(), {
    threads: 1,
    fixedBytes: 0,
    bytesPerThread: 0,
    needOf: () => 0,
  });
}
const mix = (weight: number, id = 'mix') => ({
  id,
  type: 'merge',
  models: [
    { path: 'a', weight },
    { path: 'b', weight: 0.5 },
  ],
});
const done = { id: 'done', type: 'convert', model: { step: 'mix' }, output: 'out' };

test('a changed weight, and what it makes again', () => {
  const difference = diffPlans(plan(mix(0.5), done), plan(mix(0.75), done));
  expect(difference).toMatchObject({
    added: [],
    removed: [],
    changed: [{ step: 'mix', settings: [{ setting: 'models[0].weight', before: '0.5', after: '0.75' }] }],
    affected: ['done'],
  });
  expect(describeDifference(difference)).toEqual([
    'step "mix": models[0].weight was 0.5, is 0.75',
    'step "done" is made again: what it takes has changed',
  ]);
});

test('steps that come and go, inputs and outputs that move, bytes', () => {
  const before = plan(mix(0.5), done);
  const after = plan(mix(0.5), {
    id: 'end',
    type: 'merge',
    prune: true,
    models: [{ step: 'mix' }, { path: 'b' }],
    output: 'out',
  });
  const lines = describeDifference(diffPlans(before, after));
  expect(lines.slice(0, 2)).toEqual(['step "end" is new', 'step "done" is gone']);
  expect(lines.at(-1)).toMatch(/^bytes read: \d+ before, \d+ now$/);
  const other = describeDifference(
    diffPlans(before, plan(mix(0.5), { ...done, model: { path: 'b' } }, { ...done, id: 'x', output: 'y' })),
  );
  expect(other).toContain('step "done": model was step mix, is b');
});

test('names and descriptions are no difference', () => {
  expect(
    describeDifference(
      diffPlans(plan(mix(0.5), done), plan({ ...mix(0.5), name: 'n' }, { ...done, device: 'cpu' })),
    ),
  ).toEqual(['the plans do the same']);
});
