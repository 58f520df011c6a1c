import { expect, test } from 'vitest';
import { createMemoryWatch, processMeter } from '../../../bridge/local/memory-watch.ts';

const GIB = 1024 ** 3;
const short = expect.objectContaining({ code: 'run/memory-short' });

test('work passes while there is room for it and some to spare', () => {
  const watch = createMemoryWatch({ available: () => GIB, heapUsed: () => 0.5 });
  expect(() => watch.check()).not.toThrow();
  expect(() => watch.check(GIB / 2)).not.toThrow();
  expect(() => watch.check(GIB)).toThrow(short);
});

test('no work at all passes while the machine or the heap is nearly full', () => {
  expect(() => createMemoryWatch({ available: () => GIB / 8, heapUsed: () => 0 }).check()).toThrow(short);
  expect(() => createMemoryWatch({ available: () => GIB, heapUsed: () => 0.8 }).check()).toThrow(short);
});

test('small work in a row asks the machine once, large work each time', () => {
  let asked = 0;
  const available = (): number => {
    asked++;
    return GIB;
  };
  const watch = createMemoryWatch({ available, heapUsed: () => 0 });
  // Far less than the 20 ms between two questions.
  for (let i = 0; i < 100; i++) watch.check();
  expect(asked).toBeLessThan(3);
  asked = 0;
  for (let i = 0; i < 10; i++) watch.check(GIB / 4);
  expect(asked).toBe(10);
});

test('the meter of a process that has room says so', () => {
  expect(processMeter.available()).toBeGreaterThan(0);
  expect(processMeter.heapUsed()).toBeGreaterThan(0);
  expect(processMeter.heapUsed()).toBeLessThan(0.75);
});
