/** Two prompts as much of them as fits. */
export type CutPrompts = { readonly positive: string; readonly negative: string };

/** No segment of a JPEG holds more characters. */
const MOST_CHARS = 65_535;
/** Of the positive prompt where both are cut: so much stays before the negative one gets anything. */
const POSITIVE_SHARE = 3 / 4;
/** A tag or bracket that begins before this part of the text is cut through: too much would go with it. */
const TOO_FAR_BACK = 3 / 4;
/** Brackets around brackets beyond this are forgotten: a hostile text opens at every character and closes none. */
const MOST_NESTED = 64;
const CLOSES: Readonly<Record<string, string>> = { '<': '>', '(': ')', '[': ']', '{': '}' };

/**
 * The most of both prompts. The positive one comes first: it is whole where it can be, and the negative one takes what
 * remains. Where it cannot, the negative one, short as it mostly is, takes up to a quarter of its room.
 *
 * @param fits whether two prompts can be written; what is shorter fits too
 * @returns undefined when not even empty prompts fit
 */
export function cutPrompts(
  positive: string,
  negative: string,
  fits: (positive: string, negative: string) => boolean,
): CutPrompts | undefined {
  if (!fits('', '')) return undefined;
  const most = longestBeginning(positive, (text) => fits(text, ''));
  if (most === positive.length) {
    const room = longestBeginning(negative, (text) => fits(positive, text));
    return { positive, negative: cutGently(negative, room) };
  }
  const share = cutAt(positive, Math.ceil(most * POSITIVE_SHARE));
  const guest = cutAt(negative, most - share.length);
  const reserved = cutAt(
    guest,
    longestBeginning(guest, (text) => fits(share, text)),
  );
  const room = longestBeginning(positive, (text) => fits(text, reserved));
  const rest = longestBeginning(negative, (text) => fits(cutAt(positive, room), text));
  return { positive: cutGently(positive, room), negative: cutGently(negative, rest) };
}

/** How much of a text passes, in UTF-16 units, between characters. */
function longestBeginning(text: string, passes: (text: string) => boolean): number {
  let [low, high] = [0, Math.min(text.length, MOST_CHARS)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(cutAt(text, middle))) low = middle;
    else high = middle - 1;
  }
  return cutAt(text, low).length;
}

/** Never leaves half of a surrogate pair. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff && length < text.length ? length - 1 : length);
}

/**
 * A beginning of at most so many units that ends in no `<lora:...>` tag and no `(weight:1.2)` bracket, unless one is so
 * long that a quarter of the text would go with it.
 */
function cutGently(text: string, length: number): string {
  if (length >= text.length) return text;
  const beginning = cutAt(text, length);
  const earliest = beginning.length * TOO_FAR_BACK;
  const opened = bracketsAround(text, beginning.length).find((at) => at >= earliest);
  return text.slice(0, opened ?? beginning.length).trimEnd();
}

/** Where the brackets begin that a place lies in, the outermost first; only those that close, and none behind a backslash. */
function bracketsAround(text: string, place: number): number[] {
  const open: number[] = [];
  const around: number[] = [];
  for (let at = 0; at < text.length && (at < place || open.some((one) => one < place)); at++) {
    const char = text[at] ?? '';
    if (char === '\\') at++;
    else if (char in CLOSES) open.push(at);
    else {
      const opening = open.findLastIndex((one) => CLOSES[text[one] ?? ''] === char);
      if (opening < 0) continue;
      // What was opened within it and never closed is no bracket.
      const [begin = 0] = open.splice(opening);
      if (begin < place && at >= place) around.push(begin);
    }
    if (open.length > MOST_NESTED) open.shift();
  }
  return around.toSorted((a, b) => a - b);
}
