import { LineageError } from '../../kit/errors.ts';
import { defineKernel } from '../../kit/graph-node.ts';
import { compilePythonRegex, findMatches, type RegexFlags } from '../python-regex.ts';
import { fillTemplate, parseTemplate } from '../python-template.ts';
import { checkTextLength } from '../read-inputs.ts';

/** What RegexExtract may give. */
export const EXTRACT_MODES = ['First Match', 'All Matches', 'First Group', 'All Groups'] as const;

/** A text, a pattern in Python's spelling, and what to do with it. */
export type RegexInput = {
  readonly text: string;
  readonly pattern: string;
  readonly flags: RegexFlags;
  readonly task:
    | { readonly kind: 'match' }
    | { readonly kind: 'extract'; readonly mode: (typeof EXTRACT_MODES)[number]; readonly group: number }
    /** `count` 0: every match. */
    | { readonly kind: 'replace'; readonly replacement: string; readonly count: number };
};

/** A pattern with nested repeats takes ages on a text made for it; no sound one takes a second. */
const TIME_LIMIT_MS = 5_000;

/**
 * Runs a regular expression as ComfyUI's three nodes do: a pattern that Python would refuse finds nothing, but fails a
 * replacement. Without `steps`: how long it takes is not known before, so it always gets a thread that can be stopped.
 * @throws LineageError `builtin/regex`, `builtin/too-long`
 * @see ComfyUI 618b803d comfy_extras/nodes_string.py
 */
export default defineKernel({
  name: 'regex',
  milliseconds: TIME_LIMIT_MS,
  run({ text, pattern, flags, task }: RegexInput): boolean | string {
    try {
      const regex = compilePythonRegex(pattern, flags);
      if (task.kind === 'match') return findMatches(regex, text).next().value !== undefined;
      if (task.kind === 'extract') return extract(text, regex, task.mode, task.group);
      return replace(text, regex, task.replacement, task.count);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      if (task.kind === 'match') return false;
      if (task.kind === 'extract') return '';
      throw new LineageError(
        'builtin/regex',
        `expected a regular expression, got: ${cause.message}`,
        {},
        { cause },
      );
    }
  },
});

function extract(text: string, regex: RegExp, mode: (typeof EXTRACT_MODES)[number], group: number): string {
  const matches = withinLength(findMatches(regex, text));
  switch (mode) {
    case 'First Match':
      return matches.next().value?.[0] ?? '';
    case 'First Group':
      return matches.next().value?.[group] ?? '';
    case 'All Matches':
      // `findall` gives the first group where there is one.
      return [...matches].map((match) => (match.length > 1 ? (match[1] ?? '') : match[0])).join('\n');
    case 'All Groups':
      return [...matches]
        .filter((match) => match.length > Math.max(1, group))
        .map((match) => match[group] ?? '')
        .join('\n');
  }
}

/** What groups catch may overlap, and be far longer than the text in all. */
function* withinLength(matches: Iterable<RegExpExecArray>): Generator<RegExpExecArray, undefined> {
  let length = 0;
  for (const match of matches) {
    for (const group of match) length += group?.length ?? 0;
    checkTextLength(length);
    yield match;
  }
  return undefined;
}

function replace(text: string, regex: RegExp, replacement: string, count: number): string {
  const template = parseTemplate(replacement);
  let out = '';
  let at = 0;
  let done = 0;
  for (const match of findMatches(regex, text)) {
    if (count > 0 && done === count) break;
    out += text.slice(at, match.index) + fillTemplate(template, match);
    checkTextLength(out.length);
    at = match.index + match[0].length;
    done++;
  }
  return out + text.slice(at);
}
