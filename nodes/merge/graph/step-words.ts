import { LineageError } from '../../kit/errors.ts';
import { isRecord } from '../../kit/is-record.ts';
import type { Words } from './merge-value.ts';

/**
 * The id of the step that a node makes: the one that was typed, else one of the node's own.
 * @param kind what automatic ids start with
 */
export function stepIdOf(typed: string | undefined, kind: string, nodeId: string): string {
  return typed?.trim() || `${kind}_${nodeId.replace(/[^A-Za-z0-9_.-]/g, '.')}`.slice(0, 100);
}

/**
 * Further keys of a step, typed as JSON.
 * @param taken keys that the node has inputs for
 * @throws LineageError `merge/graph`
 */
export function parseMore(text: string | undefined, taken: readonly string[]): Words {
  if (text === undefined || text.trim() === '') return {};
  const value = parseJson(text, 'more');
  if (!isRecord(value)) throw wrongInput('more', 'a JSON object', text);
  const known = Object.keys(value).find((key) => taken.includes(key));
  if (known !== undefined) throw wrongInput('more', `keys that the node has no input for`, `"${known}"`);
  return value;
}

/** @throws LineageError `merge/graph` */
export function parseJson(text: string, input: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrongInput(input, 'JSON', text, cause);
  }
}

/**
 * Weights of models: `0.6, 0.4`; a place left empty has none.
 * @returns one for each model
 * @throws LineageError `merge/graph`
 */
export function parseWeights(text: string | undefined, count: number): readonly (number | undefined)[] {
  const written = text === undefined || text.trim() === '' ? [] : text.split(',');
  if (written.length > count) throw wrongInput('weights', `at most ${count}, one a model`, text ?? '');
  return Array.from({ length: count }, (_, index) => {
    const word = written[index]?.trim() ?? '';
    return word === '' ? undefined : readNumber(word, 'weights');
  });
}

/** The text that `parseWeights` reads. */
export function formatWeights(weights: readonly (number | undefined)[]): string {
  const words = weights.map((weight) => (weight === undefined ? '' : String(weight)));
  return words.join(', ').replace(/[, ]+$/, '');
}

/** @throws LineageError `merge/graph` */
export function readNumber(word: string, input: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
  if (!Number.isFinite(value)) throw wrongInput(input, 'a number', word);
  return value;
}

export function wrongInput(input: string, expected: string, got: string, cause?: unknown): LineageError {
  const shown = got === '' ? 'nothing' : got.slice(0, 80);
  return new LineageError(
    'merge/graph',
    `${input}: expected ${expected}, got ${shown}`,
    { input },
    { cause },
  );
}
