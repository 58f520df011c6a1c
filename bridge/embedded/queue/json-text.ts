import { ExactNumber } from '../../../nodes/kit/exact-json.ts';

/**
 * JSON of a value that may hold 64-bit integers; exact numbers keep their spelling. NaN and Infinity become null:
 * ComfyUI writes them bare, which no JSON reader takes.
 *
 * @throws TypeError for a value that contains itself
 */
export function toJsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    // A replacer makes this five times slower, so only a document with a bigint pays for it.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, spellBigInt) ?? 'null';
  }
}

function spellBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? new ExactNumber(String(value)).toJSON() : value;
}
