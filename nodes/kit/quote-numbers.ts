/** Marks a text that stands for a number: a private character, which no document should hold. */
export const NUMBER_MARK = '\ue000';

/** Deeper documents are left to the caller: walking them may need a deeper stack than there is. */
const MAX_DEPTH = 1_000;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const [QUOTE, MINUS, DOT, PLUS, ZERO, NINE] = [0x22, 0x2d, 0x2e, 0x2b, 0x30, 0x39];
const [UPPER_E, LOWER_E, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x45, 0x65, 0x5b, 0x5d, 0x7b, 0x7d,
];
const BACKSLASH = 0x5c;
/** Integers of so many digits are exact in a double. */
const SAFE_DIGITS = 15;

/**
 * Puts every number of a JSON text whose spelling a double would change into quotes, with `NUMBER_MARK` before it.
 * One pass over the characters: a reviver that looks at each value costs four times as much.
 *
 * @returns undefined where that cannot be told from the document's own texts, or nests without end. A text that is no
 *   JSON is none afterwards either, but for a number that stands where a key belongs.
 */
export function quoteNumbers(text: string): { readonly text: string; readonly count: number } | undefined {
  if (text.includes(NUMBER_MARK) || /\\ue000/i.test(text)) return undefined;
  const parts: string[] = [];
  let [taken, depth, count] = [0, 0, 0];
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at + 1);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, at + 1);
      if (isChanged(text, at, end)) {
        parts.push(text.slice(taken, at), '"', NUMBER_MARK, text.slice(at, end), '"');
        taken = end;
        count++;
      }
      at = end;
    } else {
      if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
      else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
      if (depth > MAX_DEPTH) return undefined;
      at++;
    }
  }
  if (count === 0) return { text, count };
  parts.push(text.slice(taken));
  return { text: parts.join(''), count };
}

/** Behind the closing quote; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = at - 1;
    while (escapes >= start && text.charCodeAt(escapes) === BACKSLASH) escapes--;
    if ((at - escapes) % 2 === 1) return at + 1;
  }
  return text.length;
}

function endOfNumber(text: string, start: number): number {
  for (let at = start; ; at++) {
    const code = text.charCodeAt(at);
    const isPart =
      (code >= ZERO && code <= NINE) ||
      code === DOT ||
      code === LOWER_E ||
      code === UPPER_E ||
      code === PLUS ||
      code === MINUS;
    if (!isPart) return at;
  }
}

function isChanged(text: string, start: number, end: number): boolean {
  // Most numbers of a graph are slots and small settings.
  if (end - start === 1) return false;
  const token = text.slice(start, end);
  if (end - start <= SAFE_DIGITS && /^[1-9]\d*$/.test(token)) return false;
  return NUMBER.test(token) && String(Number(token)) !== token;
}
