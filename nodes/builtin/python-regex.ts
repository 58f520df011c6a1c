/**
 * Python's regular expressions in JavaScript's spelling. Longer than most files: it is one recursive reader.
 * Python and JavaScript share the core; what differs (anchors, `.`, `\w \d \s \b`, names of groups, escapes, braces) is
 * written out so that it means the same. Two things stay JavaScript's: a group inside a repeat forgets what an
 * earlier round caught, and a reference to a group that caught nothing matches nothing's place.
 * @see https://docs.python.org/3.11/library/re.html
 */
import { LineageError } from '../kit/errors.ts';

/** Python's flags, as far as nodes offer them. */
export type RegexFlags = {
  readonly ignoreCase: boolean;
  /** `^` and `$` also match at lines. */
  readonly multiline: boolean;
  /** `.` also matches a line feed. */
  readonly dotAll: boolean;
};

/** Bodies of classes, for within `[...]`. */
const WORD = '\\p{L}\\p{N}_';
const DIGIT = '\\p{Nd}';
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const CLASSES: Readonly<Record<string, string>> = {
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  d: `[${DIGIT}]`,
  D: `[^${DIGIT}]`,
  s: `[${SPACE}]`,
  S: `[^${SPACE}]`,
};
/** Without the flag `m`, JavaScript's own are those of the whole text. */
const START = '^';
const END = '$';
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NOT_BOUNDARY = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
/** Digits behind `\x`, `\u`, `\U`. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
/** Deeper groups than anybody writes; the reader calls itself for each. */
const MAX_DEPTH = 100;

/**
 * Compiles a pattern as Python's `re` reads it; it is global, so start each search at `lastIndex` 0.
 * @throws SyntaxError where Python would raise `re.error`
 * @throws LineageError `builtin/regex` for what JavaScript cannot do: possessive and atomic groups, conditions, verbose mode
 */
export function compilePythonRegex(pattern: string, flags: RegexFlags): RegExp {
  const reader = new PatternReader(pattern, flags);
  const source = reader.readAll();
  return new RegExp(source, reader.ignoresCase ? 'giv' : 'gv');
}

/**
 * All matches, from the first. V8 also looks between the halves of a character beyond the basic plane, where Python
 * has no place: an empty match there is left out.
 */
export function* findMatches(regex: RegExp, text: string): Generator<RegExpExecArray> {
  for (const match of text.matchAll(regex)) {
    const isWithinCharacter =
      /^[\udc00-\udfff]/.test(text.charAt(match.index)) && isHighSurrogate(text, match.index - 1);
    if (!isWithinCharacter) yield match;
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  return /^[\ud800-\udbff]/.test(text.charAt(at));
}

type Scope = { readonly multiline: boolean; readonly dotAll: boolean };

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #global: RegexFlags;

  constructor(pattern: string, flags: RegexFlags) {
    this.#characters = [...pattern];
    this.#global = flags;
  }

  get ignoresCase(): boolean {
    return this.#global.ignoreCase;
  }

  readAll(): string {
    this.#readGlobalFlags();
    const source = this.#readAlternatives(this.#global);
    if (this.#at < this.#characters.length) throw new SyntaxError('unbalanced parenthesis');
    return source;
  }

  /** `(?im)` may stand at the very start only. */
  #readGlobalFlags(): void {
    const [whole, letters] = /^\(\?([aiLmsux]+)\)/.exec(this.#rest(12)) ?? [];
    if (whole === undefined || letters === undefined) return;
    this.#at += whole.length;
    const { ignoreCase, ...scope } = this.#flagsOf(letters);
    this.#global = {
      ignoreCase: this.#global.ignoreCase || ignoreCase,
      multiline: this.#global.multiline || scope.multiline,
      dotAll: this.#global.dotAll || scope.dotAll,
    };
  }

  #flagsOf(letters: string): RegexFlags {
    for (const letter of letters) {
      if ('aLx'.includes(letter)) throw unsupported(`the flag ${letter}`);
      if (!'imsu'.includes(letter)) throw new SyntaxError(`unknown flag ${letter}`);
    }
    const has = (letter: string): boolean => letters.includes(letter);
    return { ignoreCase: has('i'), multiline: has('m'), dotAll: has('s') };
  }

  /** Up to the end or a closing parenthesis. */
  #readAlternatives(scope: Scope): string {
    let out = '';
    while (this.#at < this.#characters.length && this.#peek() !== ')') out += this.#readPart(scope);
    return out;
  }

  #readPart(scope: Scope): string {
    const character = this.#next();
    switch (character) {
      case '|':
        return '|';
      case '^':
        return scope.multiline ? '(?<![^\\n])' : START;
      case '$':
        return scope.multiline ? `(?=\\n|${END})` : `(?=\\n?${END})`;
      case '.':
        return this.#withQuantifier(scope.dotAll ? '[^]' : '[^\\n]');
      case '[':
        return this.#withQuantifier(this.#readClass());
      case '(':
        return this.#readGroup(scope);
      case '\\':
        return this.#readEscape();
      case '*':
      case '+':
      case '?':
        throw new SyntaxError('nothing to repeat');
      case '{':
        this.#at--;
        if (this.#readRepeat() !== undefined) throw new SyntaxError('nothing to repeat');
        this.#at++;
        return this.#withQuantifier(literal('{'));
      default:
        return this.#withQuantifier(literal(character));
    }
  }

  /** Whatever repeats the part before; `{` is itself where no numbers follow. */
  #withQuantifier(part: string): string {
    const repeat = this.#readRepeat();
    if (repeat === undefined) return part;
    if (this.#peek() === '+') throw unsupported('a possessive repeat');
    const lazy = this.#peek() === '?' ? this.#next() : '';
    if ('*+?'.includes(this.#peek() ?? ' ')) throw new SyntaxError('multiple repeat');
    return part + repeat + lazy;
  }

  /** `*`, `+`, `?` or numbers in braces; undefined where none stands here. */
  #readRepeat(): string | undefined {
    const first = this.#peek();
    if (first !== undefined && '*+?'.includes(first)) return this.#next();
    const [whole, from, comma, to] = /^\{(\d*)(,?)(\d*)\}/.exec(this.#rest(32)) ?? [];
    if (whole === undefined || (from === '' && comma === '')) return undefined;
    this.#at += whole.length;
    return `{${from === '' ? '0' : from}${comma}${to}}`;
  }

  #readGroup(scope: Scope): string {
    if (++this.#depth > MAX_DEPTH) throw unsupported(`more than ${MAX_DEPTH} nested groups`);
    const { open, inner, whole = '' } = this.#readGroupStart(scope);
    if (open === undefined) {
      this.#depth--;
      return whole;
    }
    const body = this.#readAlternatives(inner);
    if (this.#peek() !== ')') throw new SyntaxError('missing ), unterminated subpattern');
    this.#next();
    this.#depth--;
    return this.#withQuantifier(`${open}${body})`);
  }

  /** `open` undefined: a comment or a reference, which is `whole`. */
  #readGroupStart(scope: Scope): { open: string | undefined; inner: Scope; whole?: string } {
    if (this.#peek() !== '?') return { open: '(', inner: scope };
    const text = this.#rest(200);
    const [same] = /^\?(?:[:=!]|<[=!])/.exec(text) ?? [];
    if (same !== undefined) {
      this.#at += same.length;
      return { open: `(${same}`, inner: scope };
    }
    const [named, name] = /^\?P<([^>]*)>/.exec(text) ?? [];
    if (named !== undefined && name !== undefined) {
      this.#at += [...named].length;
      return { open: `(?<${checkName(name)}>`, inner: scope };
    }
    const [flags, on = '', off = ''] = /^\?([aiLmsux]*)(?:-([imsx]+))?:/.exec(text) ?? [];
    if (flags !== undefined) {
      this.#at += flags.length;
      return this.#scopedFlags(scope, on, off);
    }
    const [reference, referred] = /^\?P=([^)]*)\)/.exec(text) ?? [];
    if (reference !== undefined && referred !== undefined) {
      this.#at += [...reference].length;
      return { open: undefined, inner: scope, whole: this.#withQuantifier(`\\k<${checkName(referred)}>`) };
    }
    const [comment] = /^\?#[^)]*\)/.exec(this.#rest(this.#characters.length)) ?? [];
    if (comment !== undefined) {
      this.#at += [...comment].length;
      return { open: undefined, inner: scope, whole: '' };
    }
    if (text.startsWith('?>')) throw unsupported('an atomic group');
    if (text.startsWith('?(')) throw unsupported('a condition');
    throw new SyntaxError('unknown extension');
  }

  #scopedFlags(scope: Scope, on: string, off: string): { open: string; inner: Scope } {
    const [added, removed] = [this.#flagsOf(on), this.#flagsOf(off)];
    const modifiers = `${added.ignoreCase ? 'i' : ''}${removed.ignoreCase ? '-i' : ''}`;
    return {
      open: `(?${modifiers}:`,
      inner: {
        multiline: (scope.multiline || added.multiline) && !removed.multiline,
        dotAll: (scope.dotAll || added.dotAll) && !removed.dotAll,
      },
    };
  }

  #readEscape(): string {
    const letter = this.#next();
    if (letter === 'A') return START;
    if (letter === 'Z') return END;
    if (letter === 'b') return BOUNDARY;
    if (letter === 'B') return NOT_BOUNDARY;
    const known = CLASSES[letter];
    if (known !== undefined) return this.#withQuantifier(known);
    // A group number is one or two digits; with a third it is an octal code.
    if (/[1-9]/.test(letter) && !/^[0-7]{2}/.test(this.#rest(2))) {
      const second = /^\d/.test(this.#rest(1)) ? this.#next() : '';
      // The empty group keeps a digit that follows out of the number.
      return this.#withQuantifier(`(?:\\${letter}${second})`);
    }
    return this.#withQuantifier(literal(this.#readCode(letter)));
  }

  /** The character that an escape stands for, its first letter being read. */
  #readCode(letter: string): string {
    const control = CONTROLS[letter];
    if (control !== undefined) return String.fromCodePoint(control);
    const digits = HEX_DIGITS[letter];
    if (digits !== undefined) {
      const text = this.#rest(digits);
      const code = Number.parseInt(text, 16);
      if (!/^[\da-f]+$/i.test(text) || text.length < digits || code > 0x10ffff) {
        throw new SyntaxError(`incomplete escape \\${letter}`);
      }
      this.#at += digits;
      return String.fromCodePoint(code);
    }
    if (/[0-7]/.test(letter)) {
      const [more = ''] = /^[0-7]{0,2}/.exec(this.#rest(2)) ?? [];
      this.#at += more.length;
      const code = Number.parseInt(letter + more, 8);
      if (code > 0o377) throw new SyntaxError('octal escape beyond \\377');
      return String.fromCodePoint(code);
    }
    if (letter === 'N') throw unsupported('a character by its name');
    if (/[A-Za-z\d]/.test(letter)) throw new SyntaxError(`bad escape \\${letter}`);
    return letter;
  }

  #readClass(): string {
    const negated = this.#peek() === '^' ? this.#next() : '';
    let out = '';
    let isFirst = true;
    for (;;) {
      if (this.#peek() === undefined) throw new SyntaxError('unterminated character set');
      if (this.#peek() === ']' && !isFirst) break;
      isFirst = false;
      const from = this.#readClassPart();
      const isRange = this.#peek() === '-' && (this.#characters[this.#at + 1] ?? ']') !== ']';
      if (!isRange) {
        out += from.isClass ? from.text : literal(from.text);
        continue;
      }
      this.#next();
      const to = this.#readClassPart();
      if (from.isClass || to.isClass) throw new SyntaxError('bad character range');
      out += `${literal(from.text)}-${literal(to.text)}`;
    }
    this.#next();
    return `[${negated}${out}]`;
  }

  #readClassPart(): { text: string; isClass: boolean } {
    const character = this.#next();
    if (character !== '\\') return { text: character, isClass: false };
    const letter = this.#next();
    const known = CLASSES[letter];
    if (known !== undefined) return { text: known, isClass: true };
    return { text: letter === 'b' ? '\b' : this.#readCode(letter), isClass: false };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new SyntaxError('the pattern ends too early');
    return character;
  }

  #rest(count: number): string {
    return this.#characters.slice(this.#at, this.#at + count).join('');
  }
}

/** Any character for itself, within and outside of classes. */
function literal(character: string): string {
  if (/^[\p{L}\p{N}_]$/u.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function checkName(name: string): string {
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new SyntaxError(`bad name of a group: ${name}`);
  return name;
}

function unsupported(what: string): LineageError {
  return new LineageError('builtin/regex', `expected a pattern that JavaScript can match, got ${what}`);
}
