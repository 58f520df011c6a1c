import { LineageError } from '../kit/errors.ts';
import type { AnyMethod } from './method.ts';
import { mergeMethods } from './methods/index.gen.ts';

/**
 * The merge method of an id.
 *
 * @throws LineageError `merge/unknown-method`, naming ids that are spelt alike, or all of them
 */
export function findMethod(id: string): AnyMethod {
  const found = mergeMethods.find((method) => method.id === id);
  if (found) return found;
  const ids = mergeMethods.map((method) => method.id);
  const close = ids.filter((known) => isAlike(id, known));
  throw new LineageError(
    'merge/unknown-method',
    `expected a merge method (${close.length > 0 ? `did you mean ${close.join(' or ')}?` : ids.join(', ')}), got ${JSON.stringify(id)}`,
  );
}

/** The same but for case and marks, one within the other, or no more than a third of the letters apart. */
function isAlike(given: string, known: string): boolean {
  const [a, b] = [given, known].map((id) => id.toLowerCase().replace(/[^a-z0-9]/g, ''));
  if (!a || !b) return false;
  if (a.length > MAX_COMPARED) return false;
  return (a.length > 3 && (a.includes(b) || b.includes(a))) || editDistance(a, b) <= b.length / 3;
}

/** No id is longer; a recipe may be. */
const MAX_COMPARED = 64;

/** Letters to put in, take out or replace: Wagner and Fischer 1974, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
