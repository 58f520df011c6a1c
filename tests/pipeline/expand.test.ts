import { describe, expect, test } from 'vitest';
import { layOutManifest } from '../../nodes/pipeline/check.ts';
import { type Answers, answer, leavesOf, settle } from '../../nodes/pipeline/conditions.ts';
import { type FlatStep, tuneStep } from '../../nodes/pipeline/expand.ts';
import { fileOf, ifStep, nothingAt } from './models.ts';

function layOut(...steps: object[]): readonly FlatStep[] {
  const { laidOut, findings } = layOutManifest({ pipeline: { steps } });
  if (!laidOut) throw new Error(JSON.stringify(findings));
  return laidOut.steps;
}
const merge = (id: string, ...refs: string[]): object => ({
  id,
  type: 'merge',
  models: refs.map((ref) => (ref.includes('.') ? { path: ref } : { step: ref })),
});
const validate = (id: string, step: string): object => ({ id, type: 'validate', model: { step } });
const answersOf = (scores: Record<string, number | string>, files = [nothingAt('x.s')]): Answers => ({
  file: (path) => files.find((file) => file.path === path),
  result: () => undefined,
  score: (step, name) => scores[`${step}.${name}`],
});
const inputOf = (steps: readonly FlatStep[], id: string, where = 'models[0]') =>
  steps.find((step) => step.id === id)!.inputs.get(where)!;

describe('loops', () => {
  const loop = {
    id: 'l',
    type: 'loop',
    times: 3,
    start: { path: 'x.s' },
    steps: [merge('m', 'l'), validate('v', 'm'), merge('end', 'm')],
    until: { step: 'v', score: 's', at_least: 1 },
  };
  const steps = layOut(loop, merge('out', 'l'));

  test('rounds are counted from 1 and take what the round before made', () => {
    expect(steps.map(({ id }) => id).filter((id) => id.endsWith('m') || id === 'out')).toEqual([
      'l[1].m',
      'l[2].m',
      'l[3].m',
      'out',
    ]);
    expect(inputOf(steps, 'l[1].m')).toEqual({ kind: 'file', path: 'x.s' });
    expect(inputOf(steps, 'l[2].m')).toEqual({ kind: 'step', id: 'l[1].end' });
    expect(steps.find(({ id }) => id === 'l[3].m')?.needs).toEqual(['l[2].end', 'l[1].v', 'l[2].v']);
  });

  test('the result is that of the round which ended it; open until that is known', () => {
    const source = inputOf(steps, 'out');
    expect(leavesOf(source).map((leaf) => leaf.kind === 'step' && leaf.id)).toEqual([
      'l[1].end',
      'l[2].end',
      'l[3].end',
    ]);
    expect(settle(source, answersOf({}))).toBeUndefined();
    expect(settle(source, answersOf({ 'l[1].v.s': 0.5, 'l[2].v.s': 1 }))).toEqual({
      kind: 'step',
      id: 'l[2].end',
    });
    expect(settle(source, answersOf({ 'l[1].v.s': 0, 'l[2].v.s': 0 }))).toEqual({
      kind: 'step',
      id: 'l[3].end',
    });
  });

  test('a later round runs only where no round before ended it', () => {
    const { guards } = steps.find(({ id }) => id === 'l[3].m')!;
    const runs = (first: number, second: number) =>
      guards.every(
        ({ when, is }) => answer(when, answersOf({ 'l[1].v.s': first, 'l[2].v.s': second })) === is,
      );
    expect([runs(0, 0), runs(1, 0), runs(0, 1)]).toEqual([true, false, false]);
  });

  test('loops in loops', () => {
    const inner = { id: 'i', type: 'loop', times: 2, start: { step: 'o' }, steps: [merge('m', 'i')] };
    const ids = layOut(
      { id: 'o', type: 'loop', times: 2, start: { path: 'x.s' }, steps: [inner] },
      merge('out', 'o'),
    );
    expect(ids.map(({ id }) => id)).toEqual([
      'o[1].i[1].m',
      'o[1].i[2].m',
      'o[2].i[1].m',
      'o[2].i[2].m',
      'out',
    ]);
    expect(inputOf(ids, 'o[2].i[1].m')).toEqual({ kind: 'step', id: 'o[1].i[2].m' });
  });

  test('more than 10,000 runs are refused', () => {
    const inner = { id: 'i', type: 'loop', times: 1000, steps: [merge('m', 'x.s')] };
    const { findings } = layOutManifest({
      pipeline: { steps: [{ id: 'o', type: 'loop', times: 1000, steps: [inner] }] },
    });
    expect(findings).toMatchObject([{ code: 'pipeline/malformed', got: expect.stringContaining('1000000') }]);
  });
});

describe('branches', () => {
  const condition = { model: { path: 'x.s' }, property: 'tensors', above: 1 };
  const steps = layOut(ifStep('i', condition, [merge('t', 'x.s')], [merge('e', 'x.s')]), merge('out', 'i'));

  test('each is under its guard, and the result is the one that runs', () => {
    expect(steps.map(({ id, guards }) => [id, guards.map(({ is }) => is)])).toEqual([
      ['t', [true]],
      ['e', [false]],
      ['out', []],
    ]);
    const small = answersOf({}, [fileOf('x.s', { a: 'F16 1' })]);
    const large = answersOf({}, [fileOf('x.s', { a: 'F16 1', b: 'F16 1' })]);
    expect(settle(inputOf(steps, 'out'), small)).toEqual({ kind: 'step', id: 'e' });
    expect(settle(inputOf(steps, 'out'), large)).toEqual({ kind: 'step', id: 't' });
  });

  test('what is declared is waited for, also a report and by the steps inside', () => {
    const parallel = { id: 'p', type: 'parallel', dependencies: ['v'], branches: [[merge('one', 'x.s')]] };
    const laid = layOut(parallel, merge('a', 'x.s'), validate('v', 'a'));
    expect(laid.map(({ id, needs }) => [id, needs])).toEqual([
      ['a', []],
      ['v', ['a']],
      ['one', ['v']],
    ]);
  });

  test('conditions that ask twice for what was decided before cost no more than the manifest is long', () => {
    const twice = (id: string) => {
      const ask = { model: { step: id }, property: 'tensors', is: 1 };
      return { all: [ask, { not: { not: ask } }] };
    };
    const chain = Array.from({ length: 100 }, (_, index) =>
      ifStep(
        `i${index}`,
        index === 0 ? condition : twice(`i${index - 1}`),
        [merge(`t${index}`, 'x.s')],
        [merge(`e${index}`, 'x.s')],
      ),
    );
    const laid = layOut(...chain, merge('out', 'i99'));
    expect(settle(inputOf(laid, 'out'), answersOf({}))).toBeUndefined();
    expect(laid.at(-1)?.needs).toHaveLength(200);
  });

  test('parallel branches are laid out in the order that references ask for', () => {
    const parallel = { id: 'p', type: 'parallel', branches: [[merge('late', 'x')], [merge('early', 'x.s')]] };
    expect(layOut(parallel, merge('x', 'early')).map(({ id }) => id)).toEqual(['early', 'x', 'late']);
  });
});

describe('questions', () => {
  const ask = (condition: object, scores: Record<string, number | string> = {}) => {
    const v = { id: 'v', type: 'validate', model: { path: 'x.s' } };
    const [, step] = layOut(v, ifStep('i', condition, [merge('t', 'x.s')]));
    return answer(step!.guards[0]!.when, answersOf(scores, [fileOf('x.s', { a: 'BF16 4' })]));
  };
  const score = (tests: object) => ({ step: 'v', score: 's', ...tests });

  test.each([
    [score({ above: 1 }), false],
    [score({ at_least: 1 }), true],
    [score({ below: 1 }), false],
    [score({ at_most: 1 }), true],
    [score({ is: 1 }), true],
    [score({ is_not: 1 }), false],
    [score({ is: 'x' }), false],
    [score({ above: 0, below: 2 }), true],
    [score({ above: 0, below: 0.5 }), false],
    [{ not: score({ is: 1 }) }, false],
    [{ model: { path: 'x.s' }, property: 'precision', is: 'BF16' }, true],
    [{ model: { path: 'x.s' }, property: 'architecture', is: 'unknown' }, true],
    [{ model: { path: 'x.s' }, property: 'tensors', is: 1 }, true],
    [{ model: { path: 'x.s' }, property: 'bytes', above: 1000 }, false],
  ])('%j with a score of 1', (condition, expected) => {
    expect(ask(condition, { 'v.s': 1 })).toBe(expected);
  });

  test('what is open stays open unless it does not matter', () => {
    const [known, open] = [{ model: { path: 'x.s' }, property: 'tensors', is: 1 }, score({ is: 1 })];
    expect(ask(open)).toBeUndefined();
    expect(ask({ not: open })).toBeUndefined();
    expect(ask({ any: [open, known] })).toBe(true);
    expect(ask({ all: [open, known] })).toBeUndefined();
    expect(ask({ all: [open, { not: known }] })).toBe(false);
  });

  test('a text is neither above nor below a number', () => {
    expect(ask(score({ above: 0 }), { 'v.s': 'good' })).toBe(false);
    expect(ask(score({ at_most: 0 }), { 'v.s': 'good' })).toBe(false);
  });
});

describe('optimisations', () => {
  const steps = layOut(
    {
      id: 'o',
      type: 'optimize',
      trials: 3,
      goal: 'minimise',
      score: { step: 'v', name: 's' },
      tune: [
        { step: 'm', model: 1, min: 0, max: 1 },
        { step: 'm', param: 'alpha', min: 0, max: 1 },
      ],
      steps: [merge('m', 'x.s', 'y.s'), validate('v', 'm'), merge('end', 'm')],
    },
    merge('out', 'o'),
  );

  test('the best trial is the result, once all have their score', () => {
    const source = inputOf(steps, 'out');
    expect(settle(source, answersOf({ 'o[1].v.s': 2, 'o[2].v.s': 1 }))).toBeUndefined();
    expect(settle(source, answersOf({ 'o[1].v.s': 2, 'o[2].v.s': 1, 'o[3].v.s': 1 }))).toEqual({
      kind: 'step',
      id: 'o[2].end',
    });
  });

  test('a trial sets the numbers that it tunes, and no others', () => {
    const flat = steps.find(({ id }) => id === 'o[2].m')!;
    expect(flat.tuned).toMatchObject({ by: 'o', trial: 2 });
    expect(tuneStep(flat, [0.25, 0.75])).toMatchObject({
      models: [{ path: 'x.s' }, { path: 'y.s', weight: 0.25 }],
      params: { alpha: 0.75 },
    });
    expect(steps.find(({ id }) => id === 'out')?.tuned).toBeUndefined();
  });
});
