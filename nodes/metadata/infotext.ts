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
  const negative = negativeAt < 0 ? '' : head.slice(negativeAt).join('\n').slice('Negative prompt:'.length);
  const details = splitDetails(at < 0 ? '' : (lines[at] ?? ''));
  const hashes = details.find(({ key }) => key === 'Hashes');
  return {
    positive: positive.trim(),
    negative: negative.trim(),
    details: details.filter((detail) => detail !== hashes),
    hashes: hashes ? parseHashes(hashes.value) : new Map(),
  };
}

/** Splits at commas outside of quotes, braces and brackets. */
function splitDetails(line: string): Detail[] {
  const details: Detail[] = [];
  let [depth, quoted, start] = [0, false, 0];
  for (let i = 0; i <= line.length; i++) {
    const char = line[i];
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '{' || char === '[')) depth++;
    else if (!quoted && (char === '}' || char === ']')) depth--;
    else if (char === undefined || (char === ',' && !quoted && depth <= 0)) {
      const part = line.slice(start, i);
      const colon = part.indexOf(':');
      if (colon > 0) details.push({ key: part.slice(0, colon).trim(), value: part.slice(colon + 1).trim() });
      start = i + 1;
    }
  }
  return details;
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
