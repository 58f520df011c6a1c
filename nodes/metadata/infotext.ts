import type { Detail, Parameters } from './parameters.ts';

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
