import type { MetaField, Stream } from '../../rules/define.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { type CapturedFact, embeddingFacts, type SamplerCapture, shortenPath } from './capture.ts';
import { readFacts } from './facts.ts';
import type { FlowContext } from './flow.ts';
import type { NodeId, PromptNode } from './graph.ts';
import { findMarks, type Mark } from './marks.ts';
import { normaliseValue } from './normalise.ts';
import { asText } from './operations.ts';
import { pathToStart, type Trace } from './trace.ts';

/** What a node can be said to hold in the workflow's `properties`, under `lineage.hint`. */
const HINT_KINDS = ['positive', 'negative', 'model', 'seed'] as const;
type HintKind = (typeof HINT_KINDS)[number];
export type Hint = Mark<HintKind>;

const HINT_PROPERTY = 'lineage.hint';

/** The nodes that a workflow marks with a hint; see `findMarks`. */
export function findHints(workflow: unknown): readonly Hint[] {
  return findMarks(workflow, HINT_PROPERTY, HINT_KINDS);
}

/** The field that a hint gives, where it lies by rule, and which inputs hold it where no rule tells. */
const MEANS: Readonly<
  Record<
    HintKind,
    {
      readonly field: MetaField;
      readonly stream: Stream;
      readonly from: readonly MetaField[];
      readonly names: readonly string[];
    }
  >
> = {
  positive: {
    field: 'POSITIVE_PROMPT',
    stream: 'positive',
    from: ['POSITIVE_PROMPT', 'NEGATIVE_PROMPT'],
    names: ['positive', 'positive_prompt', 'text', 'prompt', 'string', 'value'],
  },
  negative: {
    field: 'NEGATIVE_PROMPT',
    stream: 'negative',
    from: ['NEGATIVE_PROMPT', 'POSITIVE_PROMPT'],
    names: ['negative', 'negative_prompt', 'text', 'prompt', 'string', 'value'],
  },
  model: {
    field: 'MODEL_NAME',
    stream: 'model',
    from: ['MODEL_NAME'],
    names: ['ckpt_name', 'unet_name', 'model_name', 'checkpoint', 'model', 'value'],
  },
  seed: { field: 'SEED', stream: 'value', from: ['SEED'], names: ['seed', 'noise_seed', 'value', 'int'] },
};

/**
 * What the user marked stands instead of what was found, for each sampler that the marked node feeds without another
 * sampler between; where no sampler is known, for the picture. Of two marks of a kind the first counts.
 *
 * @returns puts what was marked into a capture
 */
export function readHints(
  hints: readonly Hint[],
  trace: Trace,
  context: FlowContext,
  samplers: { readonly all: ReadonlySet<NodeId>; readonly listed: readonly NodeId[] },
): (capture: SamplerCapture) => SamplerCapture {
  if (hints.length === 0) return (capture) => capture;
  const consumers = consumersIn(trace);
  const given = new Map<NodeId | null, Map<MetaField, CapturedFact>>();
  for (const hint of hints) {
    const fed = feeds(hint.nodeId, trace, consumers, samplers.all);
    const fact = factOf(hint, trace, context);
    const takers = samplers.all.size === 0 ? [null] : samplers.listed.filter((id) => fed.has(id));
    if (!fact || takers.length === 0) {
      context.warn('hint/ignored', `the node marked as ${hint.value} gives nothing here`, hint.nodeId);
      continue;
    }
    for (const nodeId of takers) {
      const facts = given.get(nodeId) ?? new Map<MetaField, CapturedFact>();
      if (!facts.has(fact.field))
        facts.set(fact.field, passing(fact, nodeId, nodeId === null ? undefined : fed.get(nodeId), trace));
      given.set(nodeId, facts);
    }
  }
  return (capture) => replaceFacts(capture, given.get(capture.nodeId));
}

/** The fact as one of a sampler, whose path passes it. */
function passing(
  fact: CapturedFact,
  sampler: NodeId | null,
  way: (() => readonly NodeId[]) | undefined,
  { steps, start }: Trace,
): CapturedFact {
  const step = sampler === null ? undefined : steps.get(sampler);
  if (!step || !way) return fact;
  return {
    ...fact,
    sampler,
    path: () => shortenPath([...fact.through, ...way(), ...pathToStart(step)], start),
  };
}

function replaceFacts(
  capture: SamplerCapture,
  given: ReadonlyMap<MetaField, CapturedFact> | undefined,
): SamplerCapture {
  if (!given) return capture;
  const isPromptGiven = given.has('POSITIVE_PROMPT') || given.has('NEGATIVE_PROMPT');
  const kept = capture.facts.filter(
    ({ field, rule }) =>
      !given.has(field) && !(isPromptGiven && field === 'EMBEDDING_NAME' && rule.endsWith('_PROMPT')),
  );
  const facts = [...given.values(), ...kept];
  const textOf = (field: MetaField): string | undefined => {
    const fact = given.get(field);
    return fact && asText(fact.value).trim();
  };
  return {
    ...capture,
    positive: textOf('POSITIVE_PROMPT') ?? capture.positive,
    negative: textOf('NEGATIVE_PROMPT') ?? capture.negative,
    facts: isPromptGiven ? [...facts, ...embeddingFacts(facts)] : facts,
  };
}

function consumersIn({ steps }: Trace): ReadonlyMap<NodeId, readonly NodeId[]> {
  const consumers = new Map<NodeId, NodeId[]>();
  for (const { node } of steps.values()) {
    for (const { from } of node.links.values()) {
      const known = consumers.get(from);
      if (known) known.push(node.id);
      else consumers.set(from, [node.id]);
    }
  }
  return consumers;
}

/** The first samplers on every way down, each with the way to it: from the start on, without the sampler. */
function feeds(
  start: NodeId,
  { steps }: Trace,
  consumers: ReadonlyMap<NodeId, readonly NodeId[]>,
  samplers: ReadonlySet<NodeId>,
): ReadonlyMap<NodeId, () => readonly NodeId[]> {
  const fed = new Map<NodeId, () => readonly NodeId[]>();
  const cameFrom = new Map<NodeId, NodeId | undefined>(steps.has(start) ? [[start, undefined]] : []);
  const wayTo = (sampler: NodeId): readonly NodeId[] => {
    const way: NodeId[] = [];
    for (let id = cameFrom.get(sampler); id !== undefined; id = cameFrom.get(id)) way.push(id);
    return way.toReversed();
  };
  // A Map iterates over what is added while it is walked.
  for (const id of cameFrom.keys()) {
    if (samplers.has(id)) fed.set(id, () => wayTo(id));
    else for (const next of consumers.get(id) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, id);
  }
  return fed;
}

function factOf({ nodeId, value: kind }: Hint, trace: Trace, context: FlowContext): CapturedFact | undefined {
  const step = trace.steps.get(nodeId);
  if (!step) return undefined;
  const { node } = step;
  const { field, stream } = MEANS[kind];
  const raw = byRule(node, kind, context) ?? byRun(node, kind, context) ?? byName(node, kind, context);
  const normalised = raw && normaliseValue(field, raw.value, undefined);
  if (!raw || normalised?.kind !== 'fact') return undefined;
  return {
    field,
    value: normalised.value,
    nodeId,
    classType: node.classType,
    input: raw.input,
    rule: 'hint',
    item: '',
    through: raw.through,
    place: { input: raw.input },
    sampler: null,
    stream,
    path: () => shortenPath([...raw.through, ...pathToStart(step)], trace.start),
  };
}

type Raw = { readonly value: Json; readonly input: string; readonly through: readonly NodeId[] };

/** What the rule of the node's class type reads, on whatever stream. */
function byRule(node: PromptNode, kind: HintKind, context: FlowContext): Raw | undefined {
  const booked = context.book.get(node.classType);
  if (!booked) return undefined;
  const facts = readFacts(node, booked, () => true, context);
  for (const field of MEANS[kind].from) {
    const [fact] = facts.filter((each) => each.field === field && asText(each.value).trim() !== '');
    if (fact) return { value: fact.value, input: fact.input, through: fact.through };
  }
  return undefined;
}

/** What the node gave when it ran. */
function byRun(node: PromptNode, kind: HintKind, { evaluator }: FlowContext): Raw | undefined {
  const value = evaluator.put(node, 0);
  return value !== undefined && fits(value, kind) ? { value, input: '', through: [] } : undefined;
}

/** The input whose name says it; else the longest text, or the only number. */
function byName(node: PromptNode, kind: HintKind, { evaluator }: FlowContext): Raw | undefined {
  const raws = [...node.literals.keys(), ...node.links.keys()].flatMap((input): Raw[] => {
    const found = evaluator.input(node, input);
    if (!found || !fits(found.value, kind)) return [];
    return [{ value: found.value, input, through: found.through }];
  });
  for (const name of MEANS[kind].names) {
    const named = raws.find(({ input }) => input.toLowerCase() === name);
    if (named) return named;
  }
  if (kind === 'seed') return raws.length === 1 ? raws[0] : undefined;
  return raws.toSorted((a, b) => asText(b.value).length - asText(a.value).length)[0];
}

const MODEL_FILE = /\.(safetensors|sft|ckpt|gguf|pt|pth|bin|onnx)$/i;

function fits(value: Json, kind: HintKind): boolean {
  if (kind === 'seed') return typeof value === 'number' || value instanceof ExactNumber;
  if (typeof value !== 'string' || value.trim() === '') return false;
  return kind !== 'model' || MODEL_FILE.test(value);
}
