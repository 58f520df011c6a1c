import { KEY_SHAPE } from './key-shapes.ts';

/**
 * Finds and takes out what nobody else should read: keys and tokens, pictures as base64, and the folders of absolute
 * paths. A key is known by its shape or by the name of its input; in a workflow, whose values have no names, by its
 * shape, or because the prompt graph beside it named it.
 */

/** Something that was taken out. */
export type Secret = {
  readonly kind: 'key' | 'picture' | 'path';
  /** Exactly what must not be there any more; of a path, its folders. */
  readonly text: string;
};

/** Takes secrets out of texts, and remembers them. */
export type Scrubber = {
  /**
   * The same text without its secrets; never longer. Scrubbing it again changes nothing. Empty for JSON nested more than
   * a thousand deep, for a text that would be beyond 16 Mi characters together with those before it, and for one with runs
   * so long (millions of characters) that patterns run out of stack.
   */
  scrub(text: string): string;
  /** What was found so far, each once, in the order it was found. */
  readonly secrets: readonly Secret[];
};

/** Inputs that hold a key, by the end of their name. `max_tokens` and `token_normalization` do not. */
const KEY_NAME =
  /(?:^|[_\- .])(?:api[_\- ]?keys?|apikey|access[_\- ]?key|(?:access|auth|hf|bearer|refresh|civitai)[_\- ]?token|token|secret|password|passwd|authorization|credentials?)(?:[_\- ]?\d{1,3})?$/i;
/** What an input of the name `key` must look like to be one: most are words. */
const KEY_VALUE = /^(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[\w-]{20,}$/;
/** The same words where a value follows in plain text. */
const NAMED_KEY =
  /((?:api[_ -]?key|(?:access|auth)[_ -]?token|password|passwd)(?:_\d{1,3})?["']?\s{0,4}[:=]\s{0,4}["']?)([^\s,;"'<>]{6,})/gi;
/** These are words of prompts too: what follows must have a digit. */
const NAMED_TOKEN =
  /(?<![A-Za-z0-9])((?:token|secret)(?:_\d{1,3})?["']?\s{0,4}[:=]\s{0,4}["']?)(?=[^\s,;"'<>\d]{0,64}\d)([^\s,;"'<>]{8,})/gi;
const BEARER = /\b(Bearer\s+)([\w.~+/-]{16,}=*)/gi;
/** `https://name:password@host`, and keys in the query of an address. */
const URL_LOGIN = /(https?:\/\/)([^\s/@:"'<>]{1,200}:[^\s/@"'<>]{1,200}@)/gi;
const URL_KEY = /([?&](?:api_?key|key|token|access_token|auth|secret|sig|signature)=)([^&\s"'<>]{6,})/gi;
/** Longer runs than any hash. */
const DATA_URL = /data:[\w.+-]{1,60}\/[\w.+-]{1,60};base64,[A-Za-z0-9+/=]+/g;
const BASE64_RUN = /[A-Za-z0-9+/_-]{256,}={0,2}/g;
/** The same in lines, as mail wraps it. Lists of hashes look alike, but for their letters. */
const BASE64_LINES =
  /(?:(?![0-9a-fA-F]{60,200}\s)[A-Za-z0-9+/_-]{60,200}[ \t]{0,4}\r?\n[ \t]{0,4}){3,}[A-Za-z0-9+/_-]{0,200}={0,2}/g;
/**
 * Names of folders have commas, and texts have them between paths: behind the extension of a file, and before a
 * drive or another path, a comma ends the name.
 */
const COMMA = String.raw`(?<!\.\w{1,5}),(?=\s?[\w(])(?!\s?[A-Za-z]:[\\/])`;
const WINDOWS_NAME = String.raw`(?:[^\\/:*?"<>|\r\n,]|${COMMA}){1,255}`;
const POSIX_LETTER = String.raw`[^/\s"'<>|,:;()[\]{}\\]`;
const POSIX_NAME = `(?:${POSIX_LETTER}|${COMMA} ?){1,255}`;
/** Folders of an absolute path, up to the name of the file. Backslashes may be doubled, as JSON writes them. */
const WINDOWS_FOLDERS = new RegExp(
  String.raw`(?<![A-Za-z])[A-Za-z]:(?:\\{1,2}(?:Users\\{1,2}[^\\/:*?"<>|\r\n]{1,255}\\{1,2})?(?:${WINDOWS_NAME}(?:\\{1,2}|\/))*|\/(?:${WINDOWS_NAME}[\\/])+)`,
  'gi',
);
const SHARE_FOLDERS = new RegExp(String.raw`(?<!\\)\\\\[\w.-]{1,255}\\(?:${WINDOWS_NAME}\\)+`, 'g');
const SLASHED_SHARE_FOLDERS = new RegExp(
  String.raw`(?<![\w/.:\\<~-])\/\/[\w.-]{1,255}\/(?:${POSIX_NAME}\/)+`,
  'g',
);
/** In the folders of a person, names have spaces more often than text follows. */
const HOME_FOLDERS = new RegExp(
  String.raw`(?<![\w/.\\<~-])(?:file:\/\/)?\/(?:home|Users)\/(?:${POSIX_NAME}(?: ${POSIX_NAME}){0,2}\/)+`,
  'g',
);
const POSIX_FOLDERS = new RegExp(String.raw`(?<![\w/.\\<~-])(?:~|file:\/\/)?\/(?:${POSIX_NAME}\/)+`, 'g');
/** A whole value that is a path; here folders may have spaces in their names, but the first where no file ends it. */
const WHOLE_PATH =
  /^(?:file:\/\/|~)?\/(?:[^/\s"'<>|,:;]+\/(?:[^/\r\n]+\/)*[^/\r\n]*|[^/\r\n"<>|]+\/(?:[^/\r\n]+\/)*[^/\r\n]*\.\w{1,12})$/;
const WHOLE_WINDOWS_PATH = /^(?:[A-Za-z]:[\\/]|\\\\)[^:*?"<>|\r\n]*$/;
const MAX_PATH_CHARS = 4096;
/** A value of JSON that is JSON again, as some nodes keep it; each level doubles the backslashes. */
const MAX_DEPTH = 12;
/** All texts of a file together. What would go beyond is taken out whole. */
const MAX_CHARS = 16 * 1024 * 1024;
/** No graph is nested like this; readers of the result could fall over it. */
const MAX_NESTING = 1_000;
/** More than any file has; the search for each would be long. */
const MAX_KNOWN = 10_000;
/** Texts that need more are made to; what is left of them is found by the check of the result. */
const MAX_PASSES = 8;
const PATHS = [WINDOWS_FOLDERS, SHARE_FOLDERS, SLASHED_SHARE_FOLDERS, HOME_FOLDERS, POSIX_FOLDERS];
/** Shorter ones would take ordinary words along where they stand elsewhere. */
const MIN_KNOWN_CHARS = 8;

/**
 * @param known secrets that another text gave away; they are taken out wherever they stand
 */
export function createScrubber(known: readonly Secret[] = []): Scrubber {
  const secrets: Secret[] = [];
  const seen = new Set<string>();
  const spellings = known
    .filter(({ text }) => text.length >= MIN_KNOWN_CHARS)
    .slice(0, MAX_KNOWN)
    .toSorted((a, b) => b.text.length - a.text.length)
    .flatMap(({ text }) => [...new Set([text, JSON.stringify(text).slice(1, -1)])]);
  const byHead = Map.groupBy(spellings, (text) => text.slice(0, MIN_KNOWN_CHARS));
  let room = MAX_CHARS;
  const note = (kind: Secret['kind'], text: string): void => {
    if (text === '' || seen.has(`${kind} ${text}`)) return;
    seen.add(`${kind} ${text}`);
    secrets.push({ kind, text });
  };
  const takeOut = (text: string, pattern: RegExp, kind: Secret['kind']): string =>
    text.replace(pattern, (whole: string, ...groups: unknown[]) => {
      const [before, secret] = groups;
      const isNamed = typeof before === 'string' && typeof secret === 'string';
      note(kind, isNamed ? secret : whole);
      return isNamed ? before : '';
    });

  function scrubPlain(text: string): string {
    let left = withoutKnown(text, byHead);
    for (const pattern of [DATA_URL, BASE64_LINES, BASE64_RUN]) left = takeOut(left, pattern, 'picture');
    for (const pattern of [URL_LOGIN, URL_KEY, KEY_SHAPE, BEARER, NAMED_KEY, NAMED_TOKEN])
      left = takeOut(left, pattern, 'key');
    for (const pattern of PATHS) left = takeOut(left, pattern, 'path');
    return left;
  }

  function scrubValue(value: string, key: string, depth: number): string {
    if (isKeyName(key) || (/^key$/i.test(key) && KEY_VALUE.test(value))) {
      if (value.trim() === '') return value;
      note('key', value);
      return '';
    }
    const isPath = WHOLE_PATH.test(value.slice(0, MAX_PATH_CHARS)) || WHOLE_WINDOWS_PATH.test(value);
    if (value.length <= MAX_PATH_CHARS && isPath) {
      const last = value.startsWith('/') ? value.lastIndexOf('/') : lastSeparator(value);
      const folders = value.slice(0, last + 1);
      note('path', folders);
      return scrubPlain(value.slice(folders.length));
    }
    return depth < MAX_DEPTH ? scrubText(value, depth + 1) : scrubPlain(value);
  }

  /** String by string, so that numbers, spaces and order stay as they are written. */
  function scrubJson(json: string, depth: number): string {
    const kept: string[] = [];
    let key = '';
    let at = 0;
    let level = 0;
    // Of the outermost object or list under the name of a key; everything in it is one.
    let keyLevel = Infinity;
    for (let open = json.indexOf('"'); open >= 0; open = json.indexOf('"', at)) {
      const close = endOfString(json, open);
      if (close < 0) break;
      const between = json.slice(at, open);
      // Nothing but punctuation and numbers in JSON; a text that only begins like it may hold anything.
      kept.push(scrubPlain(between));
      for (const char of between) {
        if (char === '{' || char === '[') {
          level++;
          if (keyLevel === Infinity && isKeyName(key)) keyLevel = level;
        } else if (char === '}' || char === ']') {
          if (level === keyLevel) keyLevel = Infinity;
          level--;
          key = '';
        }
      }
      at = close + 1;
      const raw = json.slice(open, at);
      const value = parseString(raw);
      const isKey = value !== undefined && /^\s{0,64}:/.test(json.slice(at, at + 66));
      if (isKey) key = value;
      const left =
        value === undefined
          ? value
          : isKey
            ? scrubPlain(value)
            : scrubValue(value, level >= keyLevel ? 'token' : key, depth);
      kept.push(left === undefined || left === value ? raw : JSON.stringify(left));
    }
    return kept.join('') + scrubPlain(json.slice(at));
  }

  function scrubText(text: string, depth: number): string {
    const [, prefix = '', json] = /^(\s{0,64}(?:(?:prompt|workflow):)?)([[{].*)$/is.exec(text) ?? [];
    if (json === undefined || !looksLikeJson(json)) return scrubPlain(text);
    const left = prefix + scrubJson(json, depth);
    // `[1girl:0.5]` begins like JSON too, and a name may stand before a quote there.
    return isJson(json) ? left : scrubPlain(left);
  }

  /** What is left when something was taken out may stand together as something else. */
  function scrub(text: string): string {
    if (text.length > room || isTooDeep(text)) return '';
    room -= text.length;
    let left = text;
    try {
      for (let pass = 0; pass < MAX_PASSES; pass++) {
        const before = left;
        left = scrubText(before, 0);
        if (left === before) break;
      }
    } catch (error) {
      // Of a regular expression: what it would have found is not known.
      if (error instanceof RangeError) return '';
      throw error;
    }
    return left;
  }

  return { scrub, secrets };
}

/** One pass, however many are known. */
function withoutKnown(text: string, byHead: ReadonlyMap<string, readonly string[]>): string {
  if (byHead.size === 0) return text;
  const kept: string[] = [];
  let from = 0;
  for (let at = 0; at + MIN_KNOWN_CHARS <= text.length; ) {
    const heads = byHead.get(text.slice(at, at + MIN_KNOWN_CHARS)) ?? [];
    const hit = heads.find((known) => text.startsWith(known, at));
    if (hit === undefined) at++;
    else {
      kept.push(text.slice(from, at));
      at += hit.length;
      from = at;
    }
  }
  return kept.join('') + text.slice(from);
}

/** `openaiApiKey` counts as `openai_Api_Key`. */
function isKeyName(name: string): boolean {
  return (
    name.length <= 256 && (KEY_NAME.test(name) || KEY_NAME.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2')))
  );
}

function lastSeparator(path: string): number {
  return Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
}

/** Counts brackets outside of strings; nothing is parsed. */
function isTooDeep(text: string): boolean {
  if (!/^\s{0,64}(?:(?:prompt|workflow):)?[[{]/i.test(text.slice(0, 200))) return false;
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const close = endOfString(text, at);
      if (close < 0) break;
      at = close;
    } else if (char === '{' || char === '[') {
      if (++level > MAX_NESTING) return true;
    } else if (char === '}' || char === ']') level--;
  }
  return false;
}

/** Where the string that opens at a quote closes; -1 where it does not. */
function endOfString(json: string, open: number): number {
  for (let quote = json.indexOf('"', open + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (json[quote - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return quote;
  }
  return -1;
}

function parseString(raw: string): string | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** By its beginning: what is damaged behind it is looked through for strings all the same. */
function looksLikeJson(text: string): boolean {
  return /^[[{]\s*(?:["[{\]}\d-]|true|false|null|NaN)/.test(text.slice(0, 200));
}

/** Python's NaN and Infinity count as JSON here. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/-?\b(?:NaN|Infinity)\b/g, '0'));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
