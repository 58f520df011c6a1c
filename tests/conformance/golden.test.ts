import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answers } from './golden/answers.ts';
import { CLASSES } from './golden/classes.ts';
import {
  type Deviation,
  type Difference,
  describeDifference,
  differencesOf,
  explain,
  readAnswers,
} from './golden/compare.ts';
import { playScript } from './golden/play.ts';
import { startTestRuntime, type TestRuntime } from './start-runtime.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/comfy-api/${name}`, import.meta.url), 'utf8');

const real = readAnswers(fixture('golden.json'));
const deviations = JSON.parse(fixture('deviations.json')) as readonly Deviation[];

/** The whole script takes some seconds; a message that never comes costs half a minute. */
const SCRIPT_MS = 600_000;

describe('the same script against real ComfyUI 0.8 (recorded) and against ours', () => {
  let runtime: TestRuntime;
  let ours: Answers;
  let found: ReturnType<typeof explain>;

  beforeAll(async () => {
    runtime = await startTestRuntime();
    ours = await playScript(runtime.url, CLASSES);
    found = explain(differencesOf(real, ours), deviations);
  }, SCRIPT_MS);
  afterAll(() => runtime?.close());

  test('every case was played', () => {
    expect(Object.keys(ours)).toEqual(Object.keys(real));
  });

  test.each(Object.keys(real))('%s', (name) => {
    const open: readonly Difference[] = found.unexplained.filter((one) => one.case === name);
    expect(open.map(describeDifference).join('\n')).toBe('');
  });

  test('every row of deviations.json deviates', () => {
    expect(found.unused).toEqual([]);
  });
});
