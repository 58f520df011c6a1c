import type { ApiLink, ApiNode, ApiPrompt } from '../../kit/api-prompt.ts';
import { LineageError } from '../../kit/errors.ts';
import { isRecord } from '../../kit/is-record.ts';
import { STEP_TYPES } from '../../pipeline/manifest.ts';
import { readManifest } from '../../pipeline/read-manifest.ts';
import { isReport } from '../../pipeline/report-step.ts';
import { toCanonicalJson } from '../../pipeline/step-key.ts';
import { mergeMethods } from '../methods/index.gen.ts';
import blockWeights, { blockParamOf } from './block-weights.node.ts';
import loraMerge from './lora-merge.node.ts';
import merge, { MERGE_MODELS, PLAIN_SUM } from './merge.node.ts';
import mergeSource from './merge-source.node.ts';
import mergeStep, { STEP_SOCKETS } from './merge-step.node.ts';
import type { Words } from './merge-value.ts';
import { splitParams } from './method-inputs.ts';
import { nodesToManifest } from './nodes-to-manifest.ts';
import { formatParams } from './params-text.ts';
import runPipeline, { ALSO_SOCKETS, AS_WRITTEN } from './run-pipeline.node.ts';
import { formatWeights } from './step-words.ts';

/**
 * A manifest as merge nodes: a node for each step, a source for each file, one that runs it all. What no node has an
 * input for stands as JSON in `more`, a step of another kind in a Merge Step; a manifest that nodes cannot hold stays
 * whole, as the text of the one node that runs it. `nodesToManifest` gives the same manifest again.
 *
 * @param manifest parsed JSON or YAML
 * @returns the prompt graph, and the id of its Run Merge node
 * @throws LineageError `pipeline/malformed`
 */
export function manifestToNodes(manifest: unknown): { readonly prompt: ApiPrompt; readonly run: string } {
  const meaning = meaningOf(manifest);
  const opened = openSteps(manifest);
  try {
    if (opened && meaningOf(nodesToManifest(opened.prompt, opened.run)) === meaning) return opened;
  } catch (error) {
    // An input that cannot hold a word of the manifest.
    if (!(error instanceof LineageError)) throw error;
  }
  const text = JSON.stringify(manifest, null, 2);
  return { prompt: { '1': node(runPipeline.id, { ...RUN, manifest: text }) }, run: '1' };
}

const RUN = { output_name: '', precision: AS_WRITTEN };

/** All that a manifest says, the same for each spelling. @throws LineageError `pipeline/malformed` */
function meaningOf(manifest: unknown): string {
  const read = readManifest(manifest);
  if (read.manifest) return toCanonicalJson(read.manifest);
  const [first] = read.findings;
  const where = first?.where === undefined ? '' : `${first.where}: `;
  throw new LineageError('pipeline/malformed', `${where}expected ${first?.expected}, got ${first?.got}`);
}

function node(class_type: string, inputs: ApiNode['inputs']): ApiNode {
  return { class_type, inputs };
}

type Opened = { readonly prompt: ApiPrompt; readonly run: string };
/** A manifest that nodes cannot hold. */
class NotForNodes extends Error {}

function openSteps(manifest: unknown): Opened | undefined {
  try {
    return open(manifest);
  } catch (error) {
    if (error instanceof NotForNodes) return undefined;
    throw error;
  }
}

function open(manifest: unknown): Opened {
  const { said, steps } = splitManifest(manifest);
  const prompt: Record<string, ApiNode> = {};
  const links = new Map<string, ApiLink>();
  const used = new Set<Words>();
  const begun = new Set<Words>();

  const add = (made: ApiNode): ApiLink => {
    const id = String(Object.keys(prompt).length + 1);
    prompt[id] = made;
    return [id, 0];
  };
  const once = (key: string, make: () => ApiLink): ApiLink => {
    const known = links.get(key);
    if (known) return known;
    const link = make();
    links.set(key, link);
    return link;
  };

  /** The node that makes a step's result, with the nodes of what it needs before it. */
  function linkTo(id: string): ApiLink {
    const step = steps.find((each) => idsIn(each).includes(id));
    if (!step) throw new NotForNodes();
    return once(`step ${id}`, () => {
      if (begun.has(step) && step['id'] === id) throw new NotForNodes();
      begun.add(step);
      return add(nodeOf(step, id));
    });
  }

  function linkOf(ref: Words): ApiLink {
    const { path, step, weight, strength, ...details } = ref;
    if (typeof step === 'string') {
      const owner = steps.find((each) => idsIn(each).includes(step));
      if (owner) used.add(owner);
      return linkTo(step);
    }
    if (typeof path !== 'string') throw new NotForNodes();
    const inputs = { model_name: path, ...moreOf(details) };
    return once(`file ${JSON.stringify(inputs)}`, () => add(node(mergeSource.id, inputs)));
  }

  function nodeOf(step: Words, result: string): ApiNode {
    if (step['type'] === 'merge' || step['type'] === 'block_merge') return mergeNode(step);
    if (step['type'] === 'lora_merge') return loraNode(step) ?? stepNode(step, result);
    return stepNode(step, result);
  }

  function mergeNode(step: Words): ApiNode {
    const { id, type, method, models, base, vae, params, blocks, param, rest, weight, ...more } = step;
    const refs = asWords(models);
    if (refs.length > MERGE_MODELS) throw new NotForNodes();
    const isBlocks = type === 'block_merge';
    const weights = refs.map((ref) => (typeof ref['weight'] === 'number' ? ref['weight'] : undefined));
    const details = {
      ...Object.fromEntries(refs.flatMap((ref, index) => detailsAt(`models[${index}]`, ref))),
      ...Object.fromEntries(isRecord(base) ? detailsAt('base', base) : []),
      ...Object.fromEntries(isRecord(vae) ? detailsAt('vae', vae) : []),
    };
    const blocksLink = isBlocks ? add(node(blockWeights.id, blockInputs(blocks, param, rest))) : undefined;
    const chosen = typeof method === 'string' ? method : isBlocks ? 'weighted-sum' : PLAIN_SUM;
    const known = mergeMethods.find((each) => each.id === chosen)?.params ?? {};
    const { typed, line } = splitParams(asParams(params), known, isBlocks ? blockParamOf(step) : undefined);
    return node(merge.id, {
      method: chosen,
      ...Object.fromEntries(Object.entries(typed).map(([name, value]) => [`method.${name}`, value])),
      params: formatParams(line),
      weights: formatWeights(weights),
      ...Object.fromEntries(refs.map((ref, index) => [`model${index + 1}`, linkOf(ref)])),
      ...(isRecord(base) && { base: linkOf(base) }),
      ...(isRecord(vae) && { vae: linkOf(vae) }),
      ...(blocksLink && { blocks: blocksLink }),
      step: id,
      ...moreOf({ ...more, ...(Object.keys(details).length > 0 && { refs: details }) }),
    });
  }

  function loraNode(step: Words): ApiNode | undefined {
    const { id, type, model, loras, vae, ...more } = step;
    const all = asWords(loras);
    if (!isRecord(model) || !all.every((lora) => typeof lora['path'] === 'string')) return undefined;
    const details = Object.fromEntries([
      ...detailsAt('model', model),
      ...(isRecord(vae) ? detailsAt('vae', vae) : []),
    ]);
    const nodes = all.map((lora, index): Words => {
      const { path, strength = 1, ...said } = lora;
      const isLast = index === all.length - 1;
      const refs = {
        ...(Object.keys(said).length > 0 && { lora: said }),
        ...(index === 0 && details['model'] !== undefined && { model: details['model'] }),
        ...(isLast && details['vae'] !== undefined && { vae: details['vae'] }),
      };
      return {
        ...{ lora_name: path, strength },
        ...(isLast && { step: id, ...(isRecord(vae) && { vae: linkOf(vae) }) }),
        ...moreOf({ ...(isLast && more), ...(Object.keys(refs).length > 0 && { refs }) }),
      };
    });
    const last = nodes.pop();
    let from = linkOf(model);
    for (const inputs of nodes) from = add(node(loraMerge.id, { ...inputs, merge: from }));
    return last && node(loraMerge.id, { ...last, merge: from });
  }

  function stepNode(step: Words, result: string): ApiNode {
    const own = idsIn(step);
    const outer = [...new Set(referredIn(step))].filter((id) => !own.includes(id));
    const owners = new Set(outer.flatMap((id) => steps.filter((each) => idsIn(each).includes(id))));
    for (const owner of owners) used.add(owner);
    const sockets = outer.map((id) => linkTo(id));
    if (sockets.length > STEP_SOCKETS) throw new NotForNodes();
    return node(mergeStep.id, {
      definition: JSON.stringify(step, null, 2),
      ...(result !== step['id'] && { result }),
      ...Object.fromEntries(sockets.map((link, index) => [`merge${index + 1}`, link])),
    });
  }

  for (const step of steps) if (typeof step['id'] === 'string' && !hasInner(step)) linkTo(step['id']);
  // Containers that nobody asked anything of run for what is inside them.
  for (const step of steps) if (hasInner(step) && !used.has(step)) linkTo(String(step['id']));
  const ends = steps.filter((step) => !used.has(step));
  const main = ends.findLast(makesModel) ?? steps.findLast(makesModel);
  const others = ends.filter((step) => step !== main);
  if (!main || others.length > ALSO_SOCKETS) throw new NotForNodes();
  const inputs = {
    ...RUN,
    ...(Object.keys(said).length > 0 && { manifest: JSON.stringify(said, null, 2) }),
    merge: linkTo(String(main['id'])),
    ...Object.fromEntries(others.map((step, index) => [`also${index + 1}`, linkTo(String(step['id']))])),
  };
  const [run] = add(node(runPipeline.id, inputs));
  return { prompt, run };
}

/** A single merge is a pipeline of one step. */
function splitManifest(manifest: unknown): { readonly said: Words; readonly steps: readonly Words[] } {
  if (!isRecord(manifest)) throw new NotForNodes();
  const { pipeline, ...rest } = manifest;
  if (!isRecord(pipeline)) {
    const { $schema, ...step } = rest;
    return {
      said: $schema === undefined ? {} : { $schema },
      steps: [{ ...step, id: step['id'] ?? 'merge', type: 'merge' }],
    };
  }
  const { steps, ...settings } = pipeline;
  return {
    said: { ...rest, ...(Object.keys(settings).length > 0 && { pipeline: settings }) },
    steps: asWords(steps),
  };
}

function asWords(value: unknown): readonly Words[] {
  if (!Array.isArray(value) || !value.every(isRecord)) throw new NotForNodes();
  return value;
}

function asParams(value: unknown): Readonly<Record<string, string | number | boolean>> {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([name, each]): [string, string | number | boolean] => {
      if (typeof each === 'number' || typeof each === 'boolean' || typeof each === 'string')
        return [name, each];
      throw new NotForNodes();
    }),
  );
}

function blockInputs(blocks: unknown, param: unknown, rest: unknown): ApiNode['inputs'] {
  return {
    architecture: 'any',
    blocks: typeof blocks === 'string' ? blocks : JSON.stringify(blocks),
    ...(typeof param === 'string' && { param }),
    ...(typeof rest === 'number' && { rest: String(rest) }),
  };
}

/** What is said of a reference to a step beside the step; a file's own node holds what is said of it. */
function detailsAt(place: string, ref: Words): readonly (readonly [string, Words])[] {
  const { path, step, weight, ...details } = ref;
  return path === undefined && Object.keys(details).length > 0 ? [[place, details]] : [];
}

function moreOf(words: Words): { readonly more?: string } {
  return Object.keys(words).length > 0 ? { more: JSON.stringify(words) } : {};
}

/** Ids of a step and of all inside it. */
function idsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (!isRecord(value)) return [];
  const isStep = typeof value['id'] === 'string' && STEP_TYPES.some((type) => type === value['type']);
  return [...(isStep ? [String(value['id'])] : []), ...Object.values(value).flatMap(idsIn)];
}

function referredIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referredIn);
  if (!isRecord(value)) return [];
  const { step } = value;
  return [...(typeof step === 'string' ? [step] : []), ...Object.values(value).flatMap(referredIn)];
}

function hasInner(step: Words): boolean {
  return step['type'] === 'parallel';
}

function makesModel(step: Words): boolean {
  return !isReport(step) && step['type'] !== 'parallel';
}
