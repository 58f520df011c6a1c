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
import runPipeline, { AS_WRITTEN, pipelineOf } from './run-pipeline.node.ts';
import { parseJson } from './step-words.ts';

/** What a node puts out on its only socket, from what came in. */
type Evaluate<R = unknown> = (given: Readonly<Record<string, unknown>>, nodeId: string) => R;

/**
 * `readFields` makes exactly what the fields promise, but forgets their types. Taken from a method, the parameter of
 * this is compared as a method's, so that work for certain fields is also work on what was read.
 */
type Work<R> = { work(inputs: Readonly<Record<string, unknown>>, nodeId: string): R }['work'];

function evaluate<const I extends Readonly<Record<string, Field>>, R>(
  fields: I,
  work: ((inputs: InputsOf<I>, nodeId: string) => R) & Work<R>,
): Evaluate<R> {
  const workOnRead: Work<R> = work;
  return (given, nodeId) => workOnRead(readFields(fields, given, nodeId), nodeId);
}

const NODES: ReadonlyMap<string, Evaluate> = new Map([
  [mergeSource.id, evaluate(mergeSource.inputs, sourceOf)],
  [blockWeights.id, evaluate(blockWeights.inputs, blockWeightsOf)],
  [merge.id, evaluate(merge.inputs, mergeOf)],
  [loraMerge.id, evaluate(loraMerge.inputs, loraMergeOf)],
  [mergeStep.id, evaluate(mergeStep.inputs, mergeStepOf)],
]);

/** Longer chains are no graph that people wire. */
const MAX_DEPTH = 500;

/** What a Run Merge node runs, and what it says of the file that comes out. */
export type GraphRun = {
  /** Parsed JSON; a manifest that was typed as YAML stays text. */
  readonly manifest: unknown;
  /** Id of the step whose model comes out; absent where the manifest is a text, or its steps make none. */
  readonly result?: string;
  /** Without a folder or an ending; absent where the manifest's own is to be kept. */
  readonly outputName?: string;
  readonly precision?: string;
};

function readRun(inputs: InputsOf<typeof runPipeline.inputs>): GraphRun {
  const outputName = inputs.output_name.trim();
  return {
    ...pipelineOf(inputs),
    ...(outputName !== '' && { outputName }),
    ...(inputs.precision !== AS_WRITTEN && { precision: inputs.precision }),
  };
}

const evaluateRun = evaluate(runPipeline.inputs, readRun);

/** The manifest that a Run Merge node of a prompt graph runs, as `nodesToRun` finds it. */
export function nodesToManifest(prompt: ApiPrompt, nodeId: string): unknown {
  return nodesToRun(prompt, nodeId).manifest;
}

/** The ids of the Run Merge nodes of a prompt graph. */
export function listRuns(prompt: ApiPrompt): readonly string[] {
  return Object.entries(prompt).flatMap(([id, { class_type }]) =>
    class_type === runPipeline.id ? [id] : [],
  );
}

/**
 * What a Run Merge node of a prompt graph runs, without running anything. The steps come in the order of the nodes' ids.
 *
 * @param nodeId of the Run Merge node
 * @throws LineageError `merge/graph` where something else than merge nodes is linked, and what those throw
 */
export function nodesToRun(prompt: ApiPrompt, nodeId: string): GraphRun {
  if (!listRuns(prompt).includes(nodeId)) {
    const got = Object.hasOwn(prompt, nodeId) ? prompt[nodeId]?.class_type : 'none';
    throw new LineageError('merge/graph', `expected a ${runPipeline.title} node, got ${got}`, {
      node: nodeId,
    });
  }
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
    const value = work(linked(id, depth), id);
    known.set(id, value);
    return value;
  }

  /** The inputs of a node, links replaced by what comes over them. */
  function linked(id: string, depth: number): Readonly<Record<string, unknown>> {
    const given = Object.entries(prompt[id]?.inputs ?? {}).map(([name, value]): [string, unknown] => [
      name,
      isApiLink(value) ? evaluateNode(value[0], depth + 1) : value,
    ]);
    return Object.fromEntries(given);
  }

  const run = evaluateRun(linked(nodeId, 0), nodeId);
  if (typeof run.manifest !== 'string')
    return { ...run, manifest: inOrderOfNodes(run.manifest, Object.keys(prompt), known) };
  return /^\s*\{/.test(run.manifest) ? { ...run, manifest: parseJson(run.manifest, 'manifest') } : run;
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
