import type { GraphNode, RunContext, RunInputs } from '../kit/graph-node.ts';
import { input, LONG_TEXT, menu, wholeNumber } from './declare-inputs.ts';
import regex, { EXTRACT_MODES, type RegexInput } from './kernels/regex.ts';
import { choiceOf, integerOf, textOf, toggleOf } from './read-inputs.ts';

/**
 * Regular expressions in Python's spelling, each in a thread that is stopped when it takes too long.
 * @see ComfyUI 618b803d comfy_extras/nodes_string.py
 */

const FLAGS = {
  case_insensitive: input('BOOLEAN', { default: true }),
  multiline: input('BOOLEAN', { default: false }),
  dotall: input('BOOLEAN', { default: false }),
};
const SUBJECT = { string: LONG_TEXT, regex_pattern: LONG_TEXT };

async function search(inputs: RunInputs, task: RegexInput['task'], { compute }: RunContext) {
  // Those of RegexReplace are optional.
  const isOn = (name: keyof typeof FLAGS): boolean =>
    inputs[name] === undefined ? FLAGS[name].options['default'] === true : toggleOf(inputs, name);
  const found = await compute(regex, {
    text: textOf(inputs, 'string'),
    pattern: textOf(inputs, 'regex_pattern'),
    flags: { ignoreCase: isOn('case_insensitive'), multiline: isOn('multiline'), dotAll: isOn('dotall') },
    task,
  });
  return { outputs: [found] };
}

const regexMatch: GraphNode = {
  id: 'RegexMatch',
  title: 'Regex Match',
  category: 'utils/string',
  description: 'Whether a regular expression is found in a text.',
  required: { ...SUBJECT, ...FLAGS },
  outputs: [{ type: 'BOOLEAN', name: 'matches' }],
  run: (inputs, context) => search(inputs, { kind: 'match' }, context),
};

const regexExtract: GraphNode = {
  id: 'RegexExtract',
  title: 'Regex Extract',
  category: 'utils/string',
  description: 'Takes what a regular expression finds in a text; several findings stand in lines.',
  required: {
    ...SUBJECT,
    mode: menu(EXTRACT_MODES),
    ...FLAGS,
    group_index: wholeNumber(1, 0, 100),
  },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: (inputs, context) =>
    search(
      inputs,
      {
        kind: 'extract',
        mode: choiceOf(inputs, 'mode', EXTRACT_MODES),
        group: integerOf(inputs, 'group_index'),
      },
      context,
    ),
};

const regexReplace: GraphNode = {
  id: 'RegexReplace',
  title: 'Regex Replace',
  category: 'utils/string',
  description: 'Puts something in place of what a regular expression finds; \\1 stands for its first group.',
  required: { ...SUBJECT, replace: LONG_TEXT },
  optional: {
    ...FLAGS,
    dotall: input('BOOLEAN', { default: false, tooltip: 'The dot also matches line breaks.' }),
    count: wholeNumber(0, 0, 100, { tooltip: 'How many findings to replace, from the first; 0 for all.' }),
  },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: (inputs, context) =>
    search(
      inputs,
      {
        kind: 'replace',
        replacement: textOf(inputs, 'replace'),
        count: inputs['count'] === undefined ? 0 : integerOf(inputs, 'count'),
      },
      context,
    ),
};

/** The nodes for regular expressions. */
export default [regexMatch, regexExtract, regexReplace];
