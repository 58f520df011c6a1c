import { MismatchError } from '../kit/errors.ts';
import { countEdits } from '../kit/nearest-word.ts';
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
  throw new MismatchError('merge/unknown-method', {
    expected: `a merge method (${close.length > 0 ? `did you mean ${close.join(' or ')}?` : ids.join(', ')})`,
    got: JSON.stringify(id),
  });
}

/** The same but for case and marks, one within the other, or no more than a third of the letters apart. */
function isAlike(given: string, known: string): boolean {
  const [a, b] = [given, known].map((id) => id.toLowerCase().replace(/[^a-z0-9]/g, ''));
  if (!a || !b) return false;
  if (a.length > MAX_COMPARED) return false;
  return (a.length > 3 && (a.includes(b) || b.includes(a))) || countEdits(a, b) <= b.length / 3;
}

/** No id is longer; a recipe may be. */
const MAX_COMPARED = 64;
