/** ComfyUI's string nodes are Python: the same words of JavaScript differ at the edges. */

/** A text joined with itself doubles at every node: longer results are left to a real run. */
export const MAX_TEXT_CHARS = 262_144;
/** A pattern of a workflow is untrusted input: longer texts are not matched, so that it cannot stall the save. */
const MAX_REGEX_TEXT = 20_000;
const MAX_REGEX_PATTERN = 200;
const MAX_REGEX_REPLACEMENT = 2_000;
/** Tries of a backtracking matcher, at worst; about a second's. */
const MAX_REGEX_TRIES = 1e9;
/** The same for all patterns of a graph together. */
const MAX_REGEX_TRIES_PER_GRAPH = 2e9;
/** All texts that are computed for a graph. */
const MAX_CHARS_PER_GRAPH = 4 * 1024 * 1024;

/** What the string nodes of one graph may still cost; spent as they are computed. */
export type TextBudget = { regexTries: number; chars: number };

/** The budget of a graph. */
export function createTextBudget(): TextBudget {
  return { regexTries: MAX_REGEX_TRIES_PER_GRAPH, chars: MAX_CHARS_PER_GRAPH };
}

/**
 * Python's `str.replace`: an empty text is found before every character and at the end.
 *
 * @returns undefined for a result beyond MAX_TEXT_CHARS
 */
export function replaceText(from: string, find: string, replacement: string): string | undefined {
  const pieces = find === '' ? ['', ...from, ''] : from.split(find);
  const chars = from.length + (pieces.length - 1) * replacement.length;
  return chars > MAX_TEXT_CHARS ? undefined : pieces.join(replacement);
}

/**
 * Python's `re.sub`.
 *
 * @param flags JavaScript's, of `ims`
 * @param count how many matches are replaced, 0 for all
 * @param budget its tries are spent
 * @returns undefined where the pattern is none of ours, could stall, or would mean something else here
 */
export function replaceByPattern(
  from: string,
  pattern: string,
  replacement: string,
  flags: string,
  count: number,
  budget: TextBudget = createTextBudget(),
): string | undefined {
  if (from.length > MAX_REGEX_TEXT || pattern.length > MAX_REGEX_PATTERN) return undefined;
  if (replacement.length > MAX_REGEX_REPLACEMENT) return undefined;
  if (meansOtherThanPython(pattern, from)) return undefined;
  const tries = countTries(pattern, from.length);
  if (tries > Math.min(MAX_REGEX_TRIES, budget.regexTries)) return undefined;
  budget.regexTries -= tries;
  const compiled = compilePattern(pattern, flags);
  const template = parseTemplate(replacement);
  if (!compiled || !template) return undefined;
  const groupCount = (new RegExp(`${compiled.source}|`, compiled.flags).exec('')?.length ?? 1) - 1;
  if (template.some((part) => typeof part === 'number' && part > groupCount)) return undefined;
  let left = count > 0 ? count : Number.POSITIVE_INFINITY;
  let chars = from.length;
  const replaced = from.replace(compiled, (match, ...groups) => {
    if (left-- <= 0 || chars > MAX_TEXT_CHARS) return match;
    const parts = [match, ...groups.slice(0, groupCount)];
    const text = template.map((part) => (typeof part === 'string' ? part : (parts[part] ?? ''))).join('');
    chars += text.length;
    return text;
  });
  return chars > MAX_TEXT_CHARS ? undefined : replaced;
}

/**
 * How many tries matching takes at worst. Every quantifier or reference to a group can be tried at
 * every length, every alternative doubles the ways; a quantified group is refused whatever it holds.
 */
function countTries(pattern: string, textChars: number): number {
  const references = pattern.match(/\\[1-9k]/g)?.length ?? 0;
  const bare = pattern
    .replace(/\\[\s\S]/g, 'x')
    .replace(/\[[^\]]*\]/g, 'x')
    .replace(/\(\?(?:[:=!]|<[=!]|P?<\w*>)/g, '(');
  if (/\)\s*[*+{]/.test(bare)) return Number.POSITIVE_INFINITY;
  const quantifiers = bare.match(/(?:[*+?]|\{[\d,]*\})\??/g)?.length ?? 0;
  const alternatives = bare.match(/\|/g)?.length ?? 0;
  return (textChars + 2) ** (quantifiers + references + 1) * 2 ** alternatives;
}

/** Where the same pattern matches differently: Python's classes know all letters, its `$` a line end at the end. */
function meansOtherThanPython(pattern: string, text: string): boolean {
  if (/\\[sS]/.test(pattern) && /[\x1c-\x1f\x85\ufeff]/.test(text)) return true;
  if (/\\[wWbBdD]/.test(pattern) && /[^\0-\x7f]/.test(text)) return true;
  return pattern.includes('$') && text.endsWith('\n');
}

const LITERAL_ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\' };

/** Python's replacement text: `\1`, `\g<1>` and the usual escapes. Undefined for others, which Python refuses or we don't know. */
function parseTemplate(replacement: string): (string | number)[] | undefined {
  const parts: (string | number)[] = [];
  for (const [piece, group, long, escaped] of replacement.matchAll(
    /\\([1-9]\d?)|\\g<(\d{1,2})>|\\([\s\S]?)|[^\\]+/g,
  )) {
    const number = group ?? long;
    if (number !== undefined) parts.push(Number(number));
    else if (escaped === undefined) parts.push(piece);
    else {
      const literal = LITERAL_ESCAPES[escaped];
      if (literal === undefined) return undefined;
      parts.push(literal);
    }
  }
  return parts;
}

/** Python's named groups are spelt differently; the rest of what prompts use is common to both. */
function compilePattern(pattern: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(pattern.replaceAll('(?P<', '(?<'), `gu${flags}`);
  } catch (error) {
    // Not a pattern of ours: the value stays unknown, which the caller reports.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What Python's `strip` takes off: unlike JavaScript's `trim`, separators of files and records, but no BOM. */
const PYTHON_SPACE =
  '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING_SPACE = new RegExp(`^${PYTHON_SPACE}+`);
const IS_SPACE = new RegExp(PYTHON_SPACE);

/** @param mode `left`, `right`; else both */
export function trimText(text: string, mode: string): string {
  const right = mode === 'left' ? text : text.slice(0, endWithoutSpace(text));
  return mode === 'right' ? right : right.replace(LEADING_SPACE, '');
}

/** A pattern anchored at the end alone would take quadratic time. */
function endWithoutSpace(text: string): number {
  let end = text.length;
  while (end > 0 && IS_SPACE.test(text.charAt(end - 1))) end--;
  return end;
}

/** @param mode `uppercase`, `lowercase`, `capitalize`; else title case */
export function changeCase(text: string, mode: string): string {
  if (mode === 'uppercase') return text.toUpperCase();
  if (mode === 'lowercase') return text.toLowerCase();
  const capitalize = (word: string): string => {
    const [first = ''] = word;
    const [capital = '', ...more] = first.toUpperCase();
    // Lower case is that of the whole word: a sigma at its end has a form of its own.
    const rest = word.toLowerCase().slice(first.toLowerCase().length);
    return capital + more.join('').toLowerCase() + rest;
  };
  // Python's `title` begins a word behind whatever has no case: a digit, an apostrophe, a Chinese character.
  return mode === 'capitalize' ? capitalize(text) : text.replace(/\p{Cased}+/gu, capitalize);
}
