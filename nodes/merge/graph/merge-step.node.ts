import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { custom, text } from '../../kit/fields.ts';
import { isRecord } from '../../kit/is-record.ts';
import { isReport } from '../../pipeline/report-step.ts';
import { joinSteps, LINEAGE_MERGE, type MergeValue, parseMergeValue, type Words } from './merge-value.ts';
import { parseJson, stepIdOf, wrongInput } from './step-words.ts';

const merge = (tooltip: string) => custom(LINEAGE_MERGE, { optional: true, tooltip, parse: parseMergeValue });

/** Inputs of the node. */
export const mergeStepInputs = {
  definition: text({
    default: '{"type": "convert", "model": {"step": "merge1"}, "prune": true}',
    multiline: true,
    tooltip:
      'Any step of a manifest as JSON: convert, extract, validate, analysis, if, loop, optimize and so on. The step "merge1" is what comes in there.',
  }),
  result: text({
    default: '',
    optional: true,
    advanced: true,
    tooltip: 'Id of the step whose model comes out, where it is one inside.',
  }),
  merge1: merge('What the step refers to as the step "merge1", or by its id.'),
  merge2: merge('What the step refers to as the step "merge2", or by its id.'),
  merge3: merge('What the step refers to as the step "merge3", or by its id.'),
  merge4: merge('What the step refers to as the step "merge4", or by its id.'),
};

const SOCKETS = ['merge1', 'merge2', 'merge3', 'merge4'] as const;
/** How many merges the node takes. */
export const STEP_SOCKETS = SOCKETS.length;
const MAX_DEPTH = 64;

/**
 * Any step of a manifest, after the steps that come in.
 * @throws LineageError `merge/graph`
 */
export function mergeStepOf(inputs: InputsOf<typeof mergeStepInputs>, nodeId: string): MergeValue {
  const definition = parseJson(inputs.definition, 'definition');
  if (!isRecord(definition) || typeof definition['type'] !== 'string')
    throw wrongInput('definition', 'a step as JSON with a "type"', inputs.definition);
  const { id: typed, type } = definition;
  const id = stepIdOf(typeof typed === 'string' ? typed : undefined, type, nodeId);
  const said = Object.entries(definition).map(([key, each]): [string, unknown] => [
    key,
    replaceSockets(each, inputs, 1),
  ]);
  const step = { ...Object.fromEntries(said), id };
  const before = SOCKETS.map((name) => inputs[name]?.steps ?? []);
  const named = inputs.result?.trim() || undefined;
  const through = SOCKETS.map((name) => inputs[name]?.result).find((each) => each !== undefined);
  // A step that makes no model lets out what came in.
  const isMade = !isReport(definition) && type !== 'parallel';
  const result = named !== undefined ? { step: named } : isMade ? { step: id } : through;
  return { steps: joinSteps([...before, [step]]), ...(result && { result }) };
}

/** A reference `{"step": "merge1"}` becomes what comes in there; other words of it stay. */
function replaceSockets(value: unknown, inputs: InputsOf<typeof mergeStepInputs>, depth: number): unknown {
  if (depth > MAX_DEPTH) throw wrongInput('definition', `at most ${MAX_DEPTH} levels`, 'more');
  if (Array.isArray(value)) return value.map((each) => replaceSockets(each, inputs, depth + 1));
  if (!isRecord(value)) return value;
  const socket = SOCKETS.find((name) => name === value['step']);
  const result = socket && inputs[socket]?.result;
  const { step, ...rest } = value;
  const words: Words = result ? { ...result, ...rest } : value;
  return Object.fromEntries(
    Object.entries(words).map(([key, each]) => [key, replaceSockets(each, inputs, depth + 1)]),
  );
}

export default defineNode({
  id: 'LineageMergeStep',
  title: 'Merge Step',
  category: 'lineage/merge',
  description:
    'Any step of a merge manifest that has no node of its own: conversions, checks, conditions, loops.',
  inputs: mergeStepInputs,
  outputs: {
    merge: { type: LINEAGE_MERGE, tooltip: 'The model of the step; of a check, what it looked at.' },
  },
  run: async (inputs, host) => ({ outputs: { merge: mergeStepOf(inputs, host.nodeId) } }),
});
