import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDelta, type ByteDelta, makeDelta } from '../../nodes/formats/byte-delta.ts';

/** Bytes that look random and are the same each time. */
function draw(seed: number, length: number): Uint8Array {
  let state = seed >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function expectRestored(source: Uint8Array, target: Uint8Array): ByteDelta {
  const delta = makeDelta(source, target);
  expect(Buffer.compare(applyDelta(source, delta) ?? new Uint8Array(1), target)).toBe(0);
  return delta;
}

describe('a delta makes the target again', () => {
  test('for any two files', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (source, target) => {
        expectRestored(source, target);
      }),
    );
  });

  test('for files of few different bytes, in which much is equal', () => {
    const dull = fc.array(fc.constantFrom(0, 1), { maxLength: 400 }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(fc.property(dull, dull, (source, target) => void expectRestored(source, target)));
  });

  test('for pieces of a file in any order, with others between them', () => {
    const piece = fc.record({
      seed: fc.integer({ min: 0, max: 4 }),
      length: fc.integer({ min: 0, max: 200 }),
    });
    const file = fc.array(piece, { maxLength: 8 }).map((parts) => {
      return join(...parts.map(({ seed, length }) => draw(seed, length)));
    });
    fc.assert(fc.property(file, file, (source, target) => void expectRestored(source, target)));
  });
});

describe('little is kept', () => {
  const [head, pixels, text, more] = [draw(1, 40), draw(2, 200_000), draw(3, 3_000), draw(4, 500)];

  test('of equal files nothing', () => {
    expect(expectRestored(pixels, pixels)).toEqual({ parts: [[0, 200_000]], kept: new Uint8Array(0) });
  });

  test('of a file that something was put into, nothing', () => {
    const delta = expectRestored(join(head, text, pixels), join(head, pixels));
    expect(delta.kept.length).toBe(0);
    expect(delta.parts.length).toBe(2);
  });

  test('of a text that was replaced, the text', () => {
    const delta = expectRestored(join(head, more, pixels), join(head, text, pixels));
    expect(delta.kept.length).toBeLessThanOrEqual(3_000);
    expect(delta.kept.length).toBeGreaterThan(2_990);
  });

  test('of a text that moved from behind the pixels to before them, next to nothing', () => {
    const delta = expectRestored(join(head, text, pixels, more), join(head, pixels, text, more));
    // A byte may be equal by chance where the two files part.
    expect(delta.kept.length).toBeLessThanOrEqual(2);
  });

  test('of changes at both ends of a long file, the changes', () => {
    const long = draw(5, 9_000_000);
    const delta = expectRestored(join(more, long, head), join(text, long, text));
    expect(delta.kept.length).toBeLessThan(6_000 + 2 * 128);
  });
});

test('blocks that only look equal cost no more than looking', () => {
  // Each window of zeros and one other byte has many that share a hash; 4 MB the slow way would take minutes.
  const source = new Uint8Array(4_000_000);
  const target = new Uint8Array(4_000_000).map((_, at) => (at % 31 === 0 ? 1 : 0));
  const start = performance.now();
  expectRestored(source, target);
  expect(performance.now() - start).toBeLessThan(5_000);
});

test.each([
  ['a range behind the end', { parts: [[98, 3]], kept: new Uint8Array(0) }],
  ['a range before the start', { parts: [[-1, 3]], kept: new Uint8Array(0) }],
  ['a part of a byte', { parts: [[0, 1.5]], kept: new Uint8Array(0) }],
  ['more than was kept', { parts: [4], kept: new Uint8Array(3) }],
  ['less than was kept', { parts: [2], kept: new Uint8Array(3) }],
  ['less than nothing', { parts: [-3, 6], kept: new Uint8Array(3) }],
] as const)('%s is no delta of this file', (_, delta) => {
  expect(applyDelta(draw(1, 100), delta)).toBeUndefined();
});

test('a delta that claims more than fits into memory is none', () => {
  const source = new Uint8Array(1 << 26);
  const parts = Array.from({ length: 40 }, () => [0, source.length] as const);
  expect(applyDelta(source, { parts, kept: new Uint8Array(0) })).toBeUndefined();
});
