import type { GraphNode, RunInputs } from '../kit/graph-node.ts';
import type { InputSpec } from '../kit/input-spec.ts';
import { input, LONG_TEXT, menu } from './declare-inputs.ts';
import { capitalise, lengthOf, replaceText, sliceText, titleText, trimText } from './python-string.ts';
import { checkTextLength, choiceOf, integerOf, textOf, toggleOf } from './read-inputs.ts';

/**
 * Texts cut, joined, changed and compared, as Python's `str` does it.
 * @see ComfyUI 618b803d comfy_extras/nodes_string.py
 */

const CASES = ['UPPERCASE', 'lowercase', 'Capitalize', 'Title Case'] as const;
const SIDES = ['Both', 'Left', 'Right'] as const;
const COMPARISONS = ['Starts With', 'Ends With', 'Equal'] as const;
const CASE_SENSITIVE = input('BOOLEAN', { default: true });
const TEXT = { type: 'STRING', name: 'STRING' };

type TextNode = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly required: Readonly<Record<string, InputSpec>>;
  readonly output?: { readonly type: string; readonly name: string };
  of(inputs: RunInputs): unknown;
};

function textNode({ output = TEXT, of, ...node }: TextNode): GraphNode {
  return {
    ...node,
    category: 'utils/string',
    outputs: [output],
    run: (inputs) => ({ outputs: [of(inputs)] }),
  };
}

/** Two texts, in lower case where the case shall not count. */
function pairOf(inputs: RunInputs, one: string, other: string): readonly [string, string] {
  const pair = [textOf(inputs, one), textOf(inputs, other)] as const;
  return toggleOf(inputs, 'case_sensitive') ? pair : [pair[0].toLowerCase(), pair[1].toLowerCase()];
}

const stringConcatenate = textNode({
  id: 'StringConcatenate',
  title: 'Concatenate',
  description: 'Joins two texts with something between them.',
  required: {
    string_a: LONG_TEXT,
    string_b: LONG_TEXT,
    delimiter: input('STRING', { default: '', multiline: false }),
  },
  of: (inputs) => textOf(inputs, 'string_a') + textOf(inputs, 'delimiter') + textOf(inputs, 'string_b'),
});

const stringSubstring = textNode({
  id: 'StringSubstring',
  title: 'Substring',
  description:
    'Takes the characters from start up to, not including, end; negative numbers count from the end.',
  required: { string: LONG_TEXT, start: input('INT'), end: input('INT') },
  of: (inputs) => sliceText(textOf(inputs, 'string'), integerOf(inputs, 'start'), integerOf(inputs, 'end')),
});

const stringLength = textNode({
  id: 'StringLength',
  title: 'Length',
  description: 'Counts the characters of a text.',
  required: { string: LONG_TEXT },
  output: { type: 'INT', name: 'length' },
  of: (inputs) => lengthOf(textOf(inputs, 'string')),
});

const caseConverter = textNode({
  id: 'CaseConverter',
  title: 'Case Converter',
  description:
    'Writes a text in capitals, small letters, or with capitals at its start or the start of words.',
  required: { string: LONG_TEXT, mode: menu(CASES) },
  of(inputs) {
    const text = textOf(inputs, 'string');
    switch (choiceOf(inputs, 'mode', CASES)) {
      case 'UPPERCASE':
        return text.toUpperCase();
      case 'lowercase':
        return text.toLowerCase();
      case 'Capitalize':
        return capitalise(text);
      case 'Title Case':
        return titleText(text);
    }
  },
});

const stringTrim = textNode({
  id: 'StringTrim',
  title: 'Trim',
  description: 'Drops white space at the ends of a text.',
  required: { string: LONG_TEXT, mode: menu(SIDES) },
  of: (inputs) => trimText(textOf(inputs, 'string'), choiceOf(inputs, 'mode', SIDES)),
});

const stringReplace = textNode({
  id: 'StringReplace',
  title: 'Replace',
  description: 'Puts one text in place of another, wherever it stands.',
  required: { string: LONG_TEXT, find: LONG_TEXT, replace: LONG_TEXT },
  of: (inputs) =>
    replaceText(textOf(inputs, 'string'), textOf(inputs, 'find'), textOf(inputs, 'replace'), checkTextLength),
});

const stringContains = textNode({
  id: 'StringContains',
  title: 'Contains',
  description: 'Whether a text holds another.',
  required: { string: LONG_TEXT, substring: LONG_TEXT, case_sensitive: CASE_SENSITIVE },
  output: { type: 'BOOLEAN', name: 'contains' },
  of(inputs) {
    const [text, part] = pairOf(inputs, 'string', 'substring');
    return text.includes(part);
  },
});

const stringCompare = textNode({
  id: 'StringCompare',
  title: 'Compare',
  description: 'Whether a text starts with, ends with or is another.',
  required: {
    string_a: LONG_TEXT,
    string_b: LONG_TEXT,
    mode: menu(COMPARISONS),
    case_sensitive: CASE_SENSITIVE,
  },
  output: { type: 'BOOLEAN', name: 'BOOLEAN' },
  of(inputs) {
    const [text, other] = pairOf(inputs, 'string_a', 'string_b');
    switch (choiceOf(inputs, 'mode', COMPARISONS)) {
      case 'Starts With':
        return text.startsWith(other);
      case 'Ends With':
        return text.endsWith(other);
      case 'Equal':
        return text === other;
    }
  },
});

/** The nodes for texts. */
export default [
  stringConcatenate,
  stringSubstring,
  stringLength,
  caseConverter,
  stringTrim,
  stringReplace,
  stringContains,
  stringCompare,
];
