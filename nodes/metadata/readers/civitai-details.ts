import { isRecord, jsonOf } from './text.ts';

/** A value of the details line: text, or a nested list where it was quoted. */
export type DetailValue = string | Readonly<Record<string, string>>;
export type Details = Readonly<Record<string, DetailValue>>;

/** Facts that Civitai keeps under names of its own. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['Seed', 'seed'],
  ['CFG scale', 'cfgScale'],
  ['Sampler', 'sampler'],
  ['Steps', 'steps'],
  ['Clip skip', 'clipSkip'],
]);

/** A time stamp up to its first colon, e.g. ` 2024-11-02T10`. */
const TIME_STAMP_START = /^.{11}T..$/s;

/**
 * Reads a details line as Civitai does: a colon ends a key, a comma ends a value, a quoted value is a list of its
 * own. A colon in an unquoted value therefore makes the value's beginning the key, and a quoted plain text
 * becomes an empty list.
 */
export function parseDetails(line: string): Details {
  const found = new Map<string, DetailValue>();
  let key = '';
  let pending = '';
  let quoted = false;
  let inTime = false;
  for (const [, text = '', mark = ''] of line.matchAll(/([^":,]*)([":,]|$)/g)) {
    pending += text;
    if (mark === '"') {
      if (quoted) {
        found.set(key, flat(parseDetails(pending.trim())));
        key = '';
      }
      quoted = !quoted;
    } else if (quoted || (mark === ':' && inTime)) {
      pending += mark;
    } else if (mark === ':') {
      inTime = TIME_STAMP_START.test(pending);
      if (inTime) continue;
      key = RENAMED.get(pending.trim()) ?? pending.trim();
      pending = '';
    } else {
      if (key) found.set(key, pending.trim());
      if (mark === '') break;
      inTime = false;
      key = '';
      pending = '';
    }
  }
  if (quoted && key) found.set(key, pending.trim());
  return Object.fromEntries(found);
}

/** Between quotes there are no quotes, so nothing nests twice. */
function flat(details: Details): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(details).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** A part that Civitai takes out of the line as JSON before it splits the rest. */
type JsonPart = {
  readonly rest: string;
  /** Absent where the line has no such part. */
  readonly json?: string;
};

/** `, Hashes: {…}` and `, Civitai metadata: {…}`: the braces must balance, and something must stand before. */
export function takeObject(line: string, key: string): JsonPart {
  const at = line.indexOf(`, ${key}:`);
  if (at < 0) return { rest: line };
  const start = skipSpace(line, at + key.length + 3);
  const end = line[start] === '{' ? endOfObject(line, start) : -1;
  if (end < 0) return { rest: line };
  return { rest: line.slice(0, at) + line.slice(end), json: line.slice(start, end) };
}

/** `, Civitai resources: [{…}]`: up to the first `}]`, so nothing may nest inside. */
export function takeResourceList(line: string): JsonPart {
  const key = ', Civitai resources:';
  const at = line.indexOf(key);
  if (at < 0) return { rest: line };
  const start = skipSpace(line, at + key.length);
  const end = line.startsWith('[{', start) ? line.indexOf('}]', start + 2) : -1;
  if (end < 0) return { rest: line };
  return { rest: line.slice(0, at) + line.slice(end + 2), json: line.slice(start, end + 2) };
}

/** A table of text by text; undefined where the JSON is anything else. */
export function textTable(json: string): Readonly<Record<string, string>> | undefined {
  const value = jsonOf(json);
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === Object.keys(value).length ? Object.fromEntries(entries) : undefined;
}

function skipSpace(line: string, from: number): number {
  let at = from;
  while (line[at] === ' ' || line[at] === '\t') at++;
  return at;
}

/** Just behind the brace that closes the one at `start`, braces in strings not counted; -1 where none does. */
function endOfObject(line: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < line.length; at++) {
    const char = line[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return -1;
}
