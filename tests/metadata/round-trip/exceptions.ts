import { readFileSync } from 'node:fs';
import type { Picture } from './cases.ts';
import { type Expected, expectedOf } from './expected.ts';

/** One thing that one reader should see in one file, and what it saw. */
export type Cell = {
  readonly reader: string;
  readonly picture: Picture;
  readonly what: string;
  readonly wanted: string;
  readonly seen: string | undefined;
};

/** A row of `fixtures/texts/exceptions.json`: cells that a reader cannot hold. All members that are there must apply. */
type Exception = {
  readonly readers: readonly string[];
  readonly what?: readonly string[];
  readonly formats?: readonly string[];
  /** Stages that the writer ended in. */
  readonly stages?: readonly string[];
  /** Names of `variants`. */
  readonly files?: readonly string[];
  /** Names of `cases`. */
  readonly texts?: readonly string[];
  /** Patterns on the prompts as they were meant; `prompt` is the one that the cell is about. */
  readonly positive?: string;
  readonly negative?: string;
  readonly prompt?: string;
  readonly either?: string;
  readonly reason: string;
};

const TABLE = new URL('../../../fixtures/texts/exceptions.json', import.meta.url);

export const exceptions: readonly Exception[] = JSON.parse(readFileSync(TABLE, 'utf8')) as Exception[];

/** Whether the reader saw what it should. */
export function agrees({ wanted, seen }: Cell): boolean {
  return seen === wanted;
}

/** Whether the row speaks of this cell. */
export function isExcepted(row: Exception, { reader, what, picture }: Cell): boolean {
  const { case: one, variant, embedded } = picture;
  return (
    row.readers.includes(reader) &&
    (row.what?.includes(what) ?? true) &&
    (row.formats?.includes(variant.format) ?? true) &&
    (row.stages?.includes(embedded.stage) ?? true) &&
    (row.files?.includes(variant.name) ?? true) &&
    (row.texts?.includes(one.name) ?? true) &&
    matchesPrompts(row, what, expectation(picture))
  );
}

function matchesPrompts(row: Exception, what: string, { positive, negative }: Expected): boolean {
  const matches = (pattern: string | undefined, ...texts: readonly string[]): boolean =>
    pattern === undefined || texts.some((text) => patternOf(pattern).test(text));
  return (
    matches(row.positive, positive) &&
    matches(row.negative, negative) &&
    matches(row.prompt, what === 'negative' ? negative : positive) &&
    matches(row.either, positive, negative)
  );
}

const patterns = new Map<string, RegExp>();
const expectations = new WeakMap<Picture, Expected>();

function patternOf(source: string): RegExp {
  const pattern = patterns.get(source) ?? new RegExp(source, 'mu');
  patterns.set(source, pattern);
  return pattern;
}

function expectation(picture: Picture): Expected {
  const expected = expectations.get(picture) ?? expectedOf(picture);
  expectations.set(picture, expected);
  return expected;
}

/** Cells against the table: what differs without a reason, and what agrees although the table says it cannot. */
export function judge(cells: readonly Cell[]): string[] {
  return cells.flatMap((cell) => {
    const rows = exceptions.filter((row) => isExcepted(row, cell));
    if (agrees(cell) === (rows.length === 0)) return [];
    const spot = `${cell.reader} / ${cell.picture.variant.name} / ${cell.picture.case.name} / ${cell.what}`;
    if (rows.length > 0) return [`${spot}: agrees, but the table says: ${rows[0]?.reason}`];
    return [`${spot}: ${differenceOf(cell)}`];
  });
}

/** Both sides from a little before where they part. */
function differenceOf({ wanted, seen }: Cell): string {
  if (seen === undefined) return 'nothing was seen';
  let at = 0;
  while (at < wanted.length && wanted[at] === seen[at]) at++;
  const from = Math.max(0, at - 10);
  const show = (text: string): string => JSON.stringify(text.slice(from, at + 50));
  return `at ${at} of ${wanted.length} expected ${show(wanted)}, got ${show(seen)} (${seen.length})`;
}
