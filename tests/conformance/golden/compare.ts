import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { Answers } from './answers.ts';

/** A place where two sets of answers differ; an absent value is undefined. */
export type Difference = {
  readonly case: string;
  /** A path into the answer, `/body/error/type`; of messages, `/3/data/node`. */
  readonly at: string;
  readonly real: unknown;
  readonly ours: unknown;
};

/** A difference that is meant: a row of fixtures/comfy-api/deviations.json. */
export type Deviation = {
  /** The route it concerns, as reference 2.1 spells it. */
  readonly route: string;
  /** A case of the script; `*` stands for any part of it. */
  readonly case: string;
  /** Where in the answer, `*` as above; the whole answer where it is `/`. */
  readonly at: string;
  /** What ComfyUI 0.8 answers there; left out where it has nothing. `*` in a text as above. */
  readonly real?: unknown;
  /** What we answer. */
  readonly ours?: unknown;
  readonly why: string;
};

/** Every place where the answers differ, in order of the cases. */
export function differencesOf(real: Answers, ours: Answers): Difference[] {
  const found: Difference[] = [];
  for (const name of new Set([...Object.keys(real), ...Object.keys(ours)])) {
    collect(real[name], ours[name], name, '', found);
  }
  return found;
}

function collect(real: unknown, ours: unknown, name: string, at: string, found: Difference[]): void {
  if (isRecord(real) && isRecord(ours) && areOfOneKind(real, ours)) {
    for (const key of new Set([...Object.keys(real), ...Object.keys(ours)])) {
      const [left, right] = [Object.hasOwn(real, key), Object.hasOwn(ours, key)];
      collect(left ? real[key] : undefined, right ? ours[key] : undefined, name, `${at}/${key}`, found);
    }
  } else if (Array.isArray(real) && Array.isArray(ours) && real.length === ours.length) {
    for (const [index, one] of real.entries()) collect(one, ours[index], name, `${at}/${index}`, found);
  } else if (!isSame(real, ours)) {
    found.push({ case: name, at: at === '' ? '/' : at, real, ours });
  }
}

/** Answers of one status, messages of one type: others are told whole, not key by key. */
function areOfOneKind(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): boolean {
  const isAnswer = typeof one['status'] === 'number' && typeof one['type'] === 'string';
  const isMessage = 'frame' in one || 'frame' in other || ('data' in one && 'data' in other);
  if (isAnswer) return one['status'] === other['status'];
  return !isMessage || (one['frame'] === other['frame'] && one['type'] === other['type']);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Sets what is meant aside.
 * @returns the differences that no row explains, and the rows that explain nothing.
 */
export function explain(
  differences: readonly Difference[],
  deviations: readonly Deviation[],
): { readonly unexplained: readonly Difference[]; readonly unused: readonly Deviation[] } {
  const used = new Set<Deviation>();
  const unexplained = differences.filter((difference) => {
    const row = deviations.find((one) => covers(one, difference));
    if (row) used.add(row);
    return !row;
  });
  return { unexplained, unused: deviations.filter((row) => !used.has(row)) };
}

function covers(row: Deviation, difference: Difference): boolean {
  return (
    matches(row.case, difference.case) &&
    matches(row.at, difference.at) &&
    isMeant(row.real, difference.real) &&
    isMeant(row.ours, difference.ours)
  );
}

/** A text of a row may have `*` for what differs from case to case. */
function isMeant(meant: unknown, found: unknown): boolean {
  if (typeof meant === 'string' && typeof found === 'string') return matches(meant, found);
  return isSame(meant, found);
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

/** A difference on one line. */
export function describeDifference({ case: name, at, real, ours }: Difference): string {
  const show = (value: unknown): string =>
    value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 400);
  return `${name}\n  at ${at}\n    real ${show(real)}\n    ours ${show(ours)}`;
}

/** Answers as they come back from a file. */
export function readAnswers(text: string): Answers {
  return JSON.parse(text) as Answers;
}
