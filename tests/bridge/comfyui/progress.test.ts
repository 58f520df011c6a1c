import { expect, test, vi } from 'vitest';
import { createProgress, type ProgressStep } from '../../../bridge/comfyui/progress.ts';

const picture = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) } as const;
const step = (value: number): ProgressStep => ({ value, total: 9, preview: picture });

test('the first step shows at once, the last before anything else happens, without its picture', () => {
  const shown: ProgressStep[] = [];
  const progress = createProgress(async (each) => void shown.push(each));
  for (const value of [1, 2, 3]) progress.report(step(value));
  progress.finish();
  progress.report(step(4));
  expect(shown).toEqual([step(1), { value: 3, total: 9, preview: undefined }]);
});

test('ten a second at most, the latest of each tenth, and never two at once', async () => {
  vi.useFakeTimers();
  try {
    const shown: number[] = [];
    let release = (): void => {};
    const progress = createProgress(async ({ value }) => {
      shown.push(value);
      // The writing of a picture that takes its time.
      if (value === 1) await new Promise<void>((resolve) => (release = resolve));
    });
    progress.report(step(1));
    progress.report(step(2));
    await vi.advanceTimersByTimeAsync(500);
    expect(shown).toEqual([1]);
    release();
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([1, 2]);
    for (let value = 3; value < 103; value++) {
      progress.report(step(value));
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(shown.length).toBeGreaterThan(9);
    expect(shown.length).toBeLessThanOrEqual(13);
    progress.finish();
    expect(shown.at(-1)).toBe(102);
  } finally {
    vi.useRealTimers();
  }
});

test('steps that no bar can show are left out', () => {
  const shown: ProgressStep[] = [];
  const progress = createProgress(async (each) => void shown.push(each));
  for (const [value, total] of [
    [Number.NaN, 1],
    [1, 0],
    [1, Number.NaN],
    [Infinity, 1],
  ] as const)
    progress.report({ value, total, preview: undefined });
  progress.finish();
  expect(shown).toEqual([]);
});
