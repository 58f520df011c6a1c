import { type ApiPrompt, isApiLink } from '../../kit/api-prompt.ts';
import type { InputsOf } from '../../kit/define-node.ts';
import { LineageError } from '../../kit/errors.ts';
import type { Field } from '../../kit/fields.ts';
import { isRecord } from '../../kit/is-record.ts';
import { readFields } from '../../kit/read-field.ts';
import blockWeights, { blockWeightsOf } from './block-weights.node.ts';
import loraMerge, { loraMergeOf } from './lora-merge.node.ts';
import merge, { mergeOf } from './merge.node.ts';
import mergeSource, { sourceOf } from './merge-source.node.ts';
import mergeStep, { mergeStepOf } from './merge-step.node.ts';
import runPipeline, { pipelineOf } from './run-pipeline.node.ts';
import { parseJson } from './step-words.ts';

/** What a node puts out on its only socket, from what came in. */
type Evaluate = (given: Readonly<Record<string, unknown>>, nodeId: string) => unknown;

function evaluate<const I extends Readonly<Record<string, Field>>>(
  fields: I,
  work: (inputs: InputsOf<I>, nodeId: string) => unknown,
): Evaluate {
  // `readFields` makes exactly what the fields promise; their types are forgotten on the way.
  return (given, nodeId) => work(readFields(fields, given, nodeId) as never, nodeId);
}

const NODES: ReadonlyMap<string, Evaluate> = new Map([
  [mergeSource.id, evaluate(mergeSource.inputs, sourceOf)],
  [blockWeights.id, evaluate(blockWeights.inputs, blockWeightsOf)],
  [merge.id, evaluate(merge.inputs, mergeOf)],
  [loraMerge.id, evaluate(loraMerge.inputs, loraMergeOf)],
  [mergeStep.id, evaluate(mergeStep.inputs, mergeStepOf)],
  [runPipeline.id, evaluate(runPipeline.inputs, (inputs) => pipelineOf(inputs).manifest)],
]);

/** Longer chains are no graph that people wire. */
const MAX_DEPTH = 500;

/**
 * The manifest that a Run Merge node of a prompt graph runs, without running anything. Its steps come in the order of
 * the nodes' ids.
 *
 * @param nodeId of the Run Merge node
 * @returns parsed JSON; a manifest that was typed as YAML comes back as its text
 * @throws LineageError `merge/graph` where something else than merge nodes is linked, and what those throw
 */
export function nodesToManifest(prompt: ApiPrompt, nodeId: string): unknown {
  const known = new Map<string, unknown>();

  function evaluateNode(id: string, depth: number): unknown {
    const before = known.get(id);
    if (before !== undefined) return before;
    const node = Object.hasOwn(prompt, id) ? prompt[id] : undefined;
    const work = node && NODES.get(node.class_type);
    if (!node || !work || depth > MAX_DEPTH) {
      const got = depth > MAX_DEPTH ? 'a longer chain, or a circle' : (node?.class_type ?? 'none');
      throw new LineageError('merge/graph', `expected a merge node, got ${got}`, { node: id });
    }
    const given = Object.entries(node.inputs).map(([name, value]): [string, unknown] => [
      name,
      isApiLink(value) ? evaluateNode(value[0], depth + 1) : value,
    ]);
    const value = work(Object.fromEntries(given), id);
    known.set(id, value);
    return value;
  }

  const manifest = evaluateNode(nodeId, 0);
  if (typeof manifest === 'string')
    return /^\s*\{/.test(manifest) ? parseJson(manifest, 'manifest') : manifest;
  return inOrderOfNodes(manifest, Object.keys(prompt), known);
}

/** Each value ends with the step that its node made. */
function inOrderOfNodes(
  manifest: unknown,
  ids: readonly string[],
  known: ReadonlyMap<string, unknown>,
): unknown {
  const made = ids.map((id) => stepsOf(known.get(id)).at(-1));
  const rank = (step: unknown): number => made.indexOf(isRecord(step) ? step['id'] : undefined);
  const pipeline = isRecord(manifest) ? manifest['pipeline'] : undefined;
  if (!isRecord(manifest) || !isRecord(pipeline) || !Array.isArray(pipeline['steps'])) return manifest;
  const steps = pipeline['steps'].toSorted((a, b) => rank(a) - rank(b));
  return { ...manifest, pipeline: { ...pipeline, steps } };
}

function stepsOf(value: unknown): readonly unknown[] {
  const steps = isRecord(value) ? value['steps'] : undefined;
  return Array.isArray(steps) ? steps.map((step: unknown) => (isRecord(step) ? step['id'] : undefined)) : [];
}
