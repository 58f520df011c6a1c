import { LineageError } from '../../../nodes/kit/errors.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';

/** More are refused: each is a look-up. As many as a queue or a history holds. */
const MAX_IDS = 10_000;

/**
 * The ids of a `delete`; what is no text is the id of nothing, and neither are the letters of a word or the keys of an
 * object, which Python goes through too.
 * @throws LineageError `request/malformed` for what Python cannot go through, and for too many
 */
export function readIds(value: unknown): readonly string[] {
  if (value === undefined || typeof value === 'string' || isRecord(value)) return [];
  if (!Array.isArray(value) || value.length > MAX_IDS)
    throw new LineageError('request/malformed', `expected a list of at most ${MAX_IDS} ids`);
  return value.filter((id) => typeof id === 'string');
}
