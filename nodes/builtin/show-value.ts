import { ExactNumber, escapeNonAscii } from '../kit/exact-json.ts';
import { isPixels } from './read-inputs.ts';

/** Longer values than anybody reads are cut off; a client gets them over its socket and keeps them in the history. */
const SHOWN_LENGTH_MAX = 1 << 20;

/**
 * Any value as a text, as Python shows it: `True`, `None`, JSON of lists and records in four spaces. A number is
 * spelt as it was typed; a computed one without fraction shows none, for it does not say whether it was a float.
 * @see ComfyUI 618b803d comfy_extras/nodes_preview_any.py
 */
export function showValue(value: unknown): string {
  const text = describe(value);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber)
    return String(value);
  if (isPixels(value) || (Array.isArray(value) && value.some(isPixels))) return describePictures(value);
  try {
    return escapeNonAscii(JSON.stringify(value, undefined, 4) ?? String(value));
  } catch (error) {
    // Cycles and bigints have no JSON: what such a value is can still be said.
    if (error instanceof TypeError) return `${typeof value} that cannot be shown: ${error.message}`;
    throw error;
  }
}

function describePictures(value: unknown): string {
  const pictures = [value].flat().filter(isPixels);
  const shapes = new Set(pictures.map(({ width, height, channels }) => `${width}x${height}x${channels}`));
  return `${pictures.length} of ${[...shapes].join(', ')}`;
}
