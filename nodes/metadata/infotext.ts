import { stringifyAscii } from '../kit/exact-json.ts';
import { DETAIL_KEYS, type DetailKey, matcherOf } from './detail-keys.ts';

/**
 * One `Key: value` of the details line; the value is already written as the line holds it. The key is any text
 * where it may be the user's own or was read; what we write ourselves is a `Detail<DetailKey>`.
 */
export type Detail<Key extends string = string> = { readonly key: Key; readonly value: string };

/** The parts of an A1111 infotext, kept apart so that a small budget can leave some out. */
export type Parameters = {
  readonly positive: string;
  readonly negative: string;
  /** In the order they are written; without `Hashes`, which is kept apart. */
  readonly details: readonly Detail[];
  /** Civitai's `Hashes`: `model`, `vae`, `lora:NAME`, `embed:NAME` to AutoV2. */
  readonly hashes: ReadonlyMap<string, string>;
};

/** Behind the user's own keys, in this order. */
export const TRAILING_KEYS: readonly string[] = DETAIL_KEYS.filter(({ trails }) => trails).map(
  ({ key }) => key,
);

const matchesBuiltIn = matcherOf(DETAIL_KEYS, 'i');

/** Whether a details key is one that we write. */
export function isBuiltIn(key: string): boolean {
  return matchesBuiltIn(key);
}

/**
 * The infotext: prompt lines, `Negative prompt:` line, one details line. An empty prompt leaves its line empty:
 * ComfyUI's import looks for a line break before `Negative prompt:`. Empty where nothing is known.
 */
export function renderParameters(parameters: Parameters): string {
  const { positive, negative } = parameters;
  if (isEmpty(parameters)) return '';
  // Two readers give a text that begins with a brace up as JSON; all of them strip the space again.
  const shown = positive.startsWith('{') ? ` ${positive}` : positive;
  return [shown, `Negative prompt: ${negative}`, detailParts(parameters).join(', ')].join('\n');
}

/** What is true of any picture. */
const SAYS_NOTHING: ReadonlySet<string> = new Set<DetailKey>([
  'Size',
  'Batch index',
  'Batch size',
  'Version',
]);

/** Nothing is known: then no text is better than one that says so. */
function isEmpty({ positive, negative, details, hashes }: Parameters): boolean {
  return (
    positive === '' &&
    negative === '' &&
    hashes.size === 0 &&
    details.every(({ key }) => SAYS_NOTHING.has(key))
  );
}

/** One key a line, to compare by eye in tests. Never embedded: Civitai and A1111 read a single details line. */
export function renderMultiline(parameters: Parameters): string {
  const { positive, negative } = parameters;
  return [positive, `Negative prompt: ${negative}`, ...detailParts(parameters)].join('\n');
}

/** `Hashes` stands behind our own keys and before the user's, where A1111 puts its extra tables. */
function detailParts({ details, hashes }: Parameters): string[] {
  const parts = details.map(({ key, value }) => `${key}: ${value}`);
  if (hashes.size === 0) return parts;
  const lastOwn = details.findLastIndex(({ key }) => isBuiltIn(key) && !TRAILING_KEYS.includes(key));
  return parts.toSpliced(lastOwn + 1, 0, `Hashes: ${stringifyAscii(Object.fromEntries(hashes))}`);
}

/**
 * Takes an infotext apart again, for a picture that only passes through: its text is written as it came, and a
 * small budget can still leave keys out. Not a reader's rules (those are in `readers/`), but our own line format.
 *
 * @returns parts that `renderParameters` puts together to the same text, up to the place of `Hashes`
 */
export function parseInfotext(text: string): Parameters {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const at = lines.findLastIndex(
    (line) => /^[\w][\w \-/]*: /.test(line) && !line.startsWith('Negative prompt: '),
  );
  const head = at < 0 ? lines : lines.slice(0, at);
  const negativeAt = head.findIndex((line) => line.startsWith('Negative prompt:'));
  const positive = (negativeAt < 0 ? head : head.slice(0, negativeAt)).join('\n');
  // White space stays: the space before a line that looks like settings keeps readers from taking it for them.
  const negative =
    negativeAt < 0
      ? ''
      : head
          .slice(negativeAt)
          .join('\n')
          .replace(/^Negative prompt: ?/, '');
  const details = splitDetails(at < 0 ? '' : (lines[at] ?? ''));
  const hashes = details.find(({ key }) => key === 'Hashes');
  return {
    positive,
    negative,
    details: details.filter((detail) => detail !== hashes),
    hashes: hashes ? parseHashes(hashes.value) : new Map(),
  };
}

/** `Key: value` at each comma; a piece without a key belongs to the value before it. */
function splitDetails(line: string): Detail[] {
  const details: Detail[] = [];
  const findClose = closeFinder(line);
  let colon = line.indexOf(':');
  for (let at = 0; at < line.length; ) {
    if (colon >= 0 && colon < at) colon = line.indexOf(':', at);
    const comma = indexOrEnd(line, ',', at);
    const last = details.at(-1);
    if (colon < 0 || comma < colon) {
      if (last) details[details.length - 1] = { ...last, value: `${last.value},${line.slice(at, comma)}` };
      at = comma + 1;
      continue;
    }
    const valueAt = colon + 1 + (/^\s*/.exec(line.slice(colon + 1, colon + 9))?.[0].length ?? 0);
    const close = findClose(valueAt);
    const isWhole = close > valueAt && (close === line.length - 1 || line[close + 1] === ',');
    const end = isWhole ? close + 1 : indexOrEnd(line, ',', valueAt);
    details.push({ key: line.slice(at, colon).trim(), value: line.slice(valueAt, end).trim() });
    at = end + 1;
  }
  return details;
}

function indexOrEnd(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at < 0 ? text.length : at;
}

/**
 * Finds where the quote, brace or bracket closes that opens at a place; -1 where none opens or it never closes.
 * Looks at each character a few times at most: a hostile line opens at every value and closes none.
 */
function closeFinder(line: string): (from: number) => number {
  let looksLeft = 4 * line.length;
  return (from) => {
    let [depth, quoted] = [0, false];
    for (let i = from; i < line.length && looksLeft-- > 0; i++) {
      const char = line[i] ?? '';
      if (quoted && char === '\\') i++;
      else if (char === '"') quoted = !quoted;
      else if (!quoted && '{['.includes(char)) depth++;
      else if (!quoted && '}]'.includes(char)) depth--;
      if (depth <= 0 && !quoted) return i === from ? -1 : i;
    }
    return -1;
  };
}

function parseHashes(json: string): Map<string, string> {
  try {
    const parsed: unknown = JSON.parse(json);
    const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
    return new Map(entries.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
  } catch (error) {
    // Somebody else's broken table says nothing that could be kept.
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}
