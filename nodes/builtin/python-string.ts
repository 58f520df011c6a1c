/**
 * Methods of Python's `str`, which counts code points and has its own white space.
 * @see https://docs.python.org/3.11/library/stdtypes.html#string-methods
 */

/** What `str.isspace` says yes to. */
const SPACE = new Set(
  [
    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f,
    0x205f, 0x3000, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
  ].map((code) => String.fromCodePoint(code)),
);
/** Letters whose title case is neither their lower nor their upper case. @see Unicode 15.0 UnicodeData.txt */
const TITLE_CASE: ReadonlyMap<string, string> = new Map([
  ...['Ǆ', 'ǅ', 'ǆ'].map((letter) => [letter, 'ǅ'] as const),
  ...['Ǉ', 'ǈ', 'ǉ'].map((letter) => [letter, 'ǈ'] as const),
  ...['Ǌ', 'ǋ', 'ǌ'].map((letter) => [letter, 'ǋ'] as const),
  ...['Ǳ', 'ǲ', 'ǳ'].map((letter) => [letter, 'ǲ'] as const),
]);

/** `text[start:end]`; negative numbers count from the end. */
export function sliceText(text: string, start: number, end: number): string {
  return [...text].slice(start, end).join('');
}

/** `len(text)`. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** `strip`, `lstrip`, `rstrip`. */
export function trimText(text: string, mode: 'Both' | 'Left' | 'Right'): string {
  let [start, end] = [0, text.length];
  // White space lies in the basic plane: one unit each.
  if (mode !== 'Right') while (start < end && SPACE.has(text.charAt(start))) start++;
  if (mode !== 'Left') while (start < end && SPACE.has(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * `text.replace(find, by)`; nothing to find stands between all characters.
 * @param checkLength told how long the result will be, before it is made; may throw.
 */
export function replaceText(
  text: string,
  find: string,
  by: string,
  checkLength: (length: number) => void,
): string {
  if (find === '') {
    const characters = [...text];
    checkLength(text.length + by.length * (characters.length + 1));
    return `${by}${characters.map((each) => each + by).join('')}`;
  }
  const parts = text.split(find);
  checkLength(text.length + (by.length - find.length) * (parts.length - 1));
  return parts.join(by);
}

/** `str.capitalize`. */
export function capitalise(text: string): string {
  const [first = ''] = text;
  // Lower case as a whole: a sigma at the end has a form of its own.
  return titleCase(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

/** `str.title`: every run of letters starts with a capital. */
export function titleText(text: string): string {
  return text.replace(/[\p{Uppercase}\p{Lowercase}\p{Lt}]+/gu, capitalise);
}

function titleCase(letter: string): string {
  const special = TITLE_CASE.get(letter);
  if (special !== undefined) return special;
  // Georgian has capitals, but titles don't use them.
  if (/^[\u10d0-\u10ff]/.test(letter)) return letter;
  const [first = '', ...rest] = letter.toUpperCase();
  return first + rest.join('').toLowerCase();
}
