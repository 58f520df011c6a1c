import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DATA, openKernels } from './workbench.ts';

const { kernels, bytes } = openKernels();
const { checksum } = kernels;

function checksumOf(data: Uint8Array, at = DATA): number {
  bytes.set(data, at);
  checksum.begin();
  checksum.add(at, data.length);
  return checksum.end();
}

/** The same by the definition, word by word. */
function twin(data: Uint8Array): number {
  const padded = new Uint8Array(Math.ceil(data.length / 128) * 128);
  padded.set(data);
  const view = new DataView(padded.buffer);
  const step = (lane: number, word: number): number => {
    const mixed = Math.imul(lane ^ word, 0x9e3779b1);
    return mixed ^ (mixed >>> 15);
  };
  const lanes = Array.from({ length: 32 }, (_, lane) => Math.imul(lane + 1, 0x9e3779b1));
  for (let at = 0; at < padded.length; at += 4) {
    const lane = (at / 4) % 32;
    lanes[lane] = step(lanes[lane] ?? 0, view.getUint32(at, true));
  }
  return lanes.reduce((sum, lane) => step(sum, lane), data.length) >>> 0;
}

const data = fc.uint8Array({ maxLength: 700 });

it('is what its definition says, at any address', () => {
  fc.assert(
    fc.property(data, fc.nat(15), (some, shift) => {
      expect(checksumOf(some, DATA + shift)).toBe(twin(some));
    }),
  );
});

it('does not mind in which parts bytes come', () => {
  fc.assert(
    fc.property(data, fc.array(fc.nat(700), { maxLength: 8 }), (some, cuts) => {
      const whole = checksumOf(some);
      const ends = [...cuts.filter((cut) => cut < some.length), some.length].toSorted((a, b) => a - b);
      checksum.begin();
      let at = 0;
      for (const end of ends) {
        checksum.add(DATA + at, end - at);
        at = end;
      }
      expect(checksum.end()).toBe(whole);
    }),
  );
});

it('notices one or two flipped bits, wherever they are', () => {
  const bit = fc.record({ at: fc.nat(699), bit: fc.nat(7) });
  const flips = fc.uniqueArray(bit, { minLength: 1, maxLength: 2, selector: (f) => `${f.at} ${f.bit}` });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 700, maxLength: 700 }), flips, (some, wanted) => {
      const flipped = Uint8Array.from(some);
      for (const { at, bit: which } of wanted) flipped[at] = (flipped[at] ?? 0) ^ (1 << which);
      expect(checksumOf(flipped)).not.toBe(checksumOf(some));
    }),
    { numRuns: 2000 },
  );
});

it('notices signs that change in pairs, and a stripe that has changed places', () => {
  const some = Uint8Array.from({ length: 1024 }, (_, i) => (i * 31) & 0xff);
  const signs = Uint8Array.from(some);
  for (const at of [3, 131]) signs[at] = (signs[at] ?? 0) ^ 0x80;
  expect(checksumOf(signs)).not.toBe(checksumOf(some));
  const swapped = Uint8Array.from([
    ...some.subarray(128, 256),
    ...some.subarray(0, 128),
    ...some.subarray(256),
  ]);
  expect(swapped).not.toEqual(some);
  expect(checksumOf(swapped)).not.toBe(checksumOf(some));
});

it('tells zeros that were never written from each other by their number', () => {
  const seen = new Set(Array.from({ length: 600 }, (_, length) => checksumOf(new Uint8Array(length))));
  expect(seen.size).toBe(600);
});
