import { LineageError } from '../kit/errors.ts';
import { ExactNumber } from '../kit/exact-json.ts';
import type { RunInputs } from '../kit/graph-node.ts';
import { isRecord } from '../kit/is-record.ts';
import type { Pixels } from '../kit/values.ts';

/**
 * The values of inputs, each of the kind that its socket type promises. A link of type `*` may bring anything, so
 * every one of these throws LineageError `builtin/input` for another kind.
 */

/** A batch of pictures or masks, at least one. */
export function picturesOf(inputs: RunInputs, name: string): readonly [Pixels, ...Pixels[]] {
  const value = inputs[name];
  const [first, ...others] = Array.isArray(value) ? value : [];
  if (isPixels(first) && others.every(isPixels)) return [first, ...others];
  throw unexpected(name, 'a batch of pictures', value);
}

/**
 * Pictures of one batch: more would be names of the same few samples, and still too many. Checked where batches are
 * made, since a linked number is not held to the limits that its input shows.
 */
const PICTURES_MAX = 65_536;

/** @throws LineageError `image/too-large` for more pictures than a batch holds */
export function checkBatch(count: number): void {
  if (count <= PICTURES_MAX) return;
  throw new LineageError('image/too-large', `expected at most ${PICTURES_MAX} pictures, got ${count}`);
}

/** Whether a value is one picture. */
export function isPixels(value: unknown): value is Pixels {
  return (
    isRecord(value) &&
    typeof value['width'] === 'number' &&
    typeof value['height'] === 'number' &&
    (value['data'] instanceof Uint8Array || value['data'] instanceof Float32Array)
  );
}

/** A number; the nearest double of a 64-bit one. */
export function numberOf(inputs: RunInputs, name: string): number {
  const value = inputs[name];
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof ExactNumber) return value.value;
  // Python's True and False are 1 and 0, and BOOLEAN links into `*` reach numbers.
  if (typeof value === 'boolean') return Number(value);
  throw unexpected(name, 'a number', value);
}

/** A whole number; the nearest double of a 64-bit one. */
export function integerOf(inputs: RunInputs, name: string): number {
  return Math.trunc(numberOf(inputs, name));
}

/** The longest text that a node works on, in UTF-16 units: twenty doublings make a million of one letter. */
const TEXT_LENGTH_MAX = 4 * 1024 * 1024;

/** @throws LineageError `builtin/too-long` */
export function checkTextLength(length: number): void {
  if (length <= TEXT_LENGTH_MAX) return;
  throw new LineageError(
    'builtin/too-long',
    `expected a text of at most ${TEXT_LENGTH_MAX} characters, got ${length}`,
  );
}

/** A text. @throws LineageError `builtin/too-long` too */
export function textOf(inputs: RunInputs, name: string): string {
  const value = inputs[name];
  if (typeof value === 'string') {
    checkTextLength(value.length);
    return value;
  }
  throw unexpected(name, 'a text', value);
}

/** On or off; numbers as Python takes them. */
export function toggleOf(inputs: RunInputs, name: string): boolean {
  const value = inputs[name];
  if (typeof value === 'boolean') return value;
  return numberOf(inputs, name) !== 0;
}

/** One of the words of a menu. */
export function choiceOf<const Word extends string>(
  inputs: RunInputs,
  name: string,
  words: readonly Word[],
): Word {
  const value = inputs[name];
  const word = words.find((each) => each === value);
  if (word !== undefined) return word;
  throw unexpected(name, `one of ${words.join(', ')}`, value);
}

function unexpected(input: string, expected: string, value: unknown): LineageError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return new LineageError('builtin/input', `expected ${expected}, got ${got}`, { input });
}
