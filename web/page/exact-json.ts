import { parseWithSource } from '../shared/parse-with-source.ts';

/** TC39 proposal-json-parse-with-source, not in the library types. */
const json = JSON as { rawJSON?(text: string): unknown };

/**
 * Parses JSON so that `JSON.stringify` spells its numbers as they came: a 64-bit seed is not rounded, `5.0` stays a
 * float. A browser without the proposal rounds, as ComfyUI's own front end does.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  return parseWithSource(text, (value, source) =>
    source !== undefined && String(value) !== source && json.rawJSON ? json.rawJSON(source) : value,
  );
}
