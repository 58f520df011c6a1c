import type { Stream } from '../../rules/define.ts';
import { LineageError } from '../kit/errors.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { Arrival, FlowContext } from './flow.ts';
import { compareNodeIds, type NodeId, type PromptNode } from './graph.ts';
import { asText } from './operations.ts';
import { resolveRange, type StepRange } from './ranges.ts';
import { placesOf } from './rule-book.ts';
import type { Trace } from './trace.ts';
import { type MetFact, walk, walkFacts } from './walk.ts';

/** A: the class type is a known sampler. B: its rule gives a sampler name and steps, or a start and an end. */
type Tier = 'A' | 'B';

export type SamplerEntry = StepRange & {
  readonly nodeId: NodeId;
  readonly classType: string;
  readonly tier: Tier;
  /** As ComfyUI spells it: `dpmpp_2m`. */
  readonly samplerName?: string;
  readonly scheduler?: string;
  /** The rules that gave name, steps and range. */
  readonly sourceRuleIds: readonly string[];
  /** Links on the shortest way to the save node. */
  readonly distance: number;
};

/** How the primary sampler is found. */
export const SELECT_METHODS = ['range', 'farthest', 'nearest'] as const;
export type SelectMethod = (typeof SELECT_METHODS)[number];

export type SelectOptions = {
  readonly select: SelectMethod;
  /** A sampler's id, chosen by hand; wins over `select`. */
  readonly sampler?: NodeId;
  /** A node that the workflow marks as the sampler; wins over all. */
  readonly pinned?: NodeId;
  /** How many samplers are listed. */
  readonly maxSamplers: number;
};

export const DEFAULT_MAX_SAMPLERS = 4;

export type SamplerList = {
  /** Primary first, then by range, trace order and id; at most `maxSamplers`. */
  readonly samplers: readonly SamplerEntry[];
  readonly primary: SamplerEntry | undefined;
  /** Every sampler of the graph, also those that are not listed. */
  readonly ids: ReadonlySet<NodeId>;
};

/** Streams behind which a sampler only made something to look at. */
const GUIDING: ReadonlySet<Stream> = new Set(['reference', 'control']);
/** Outputs of a sampler that hold nothing it has made. */
const HANDED_ON: ReadonlySet<Stream> = new Set(['model', 'clip', 'vae', 'positive', 'negative', 'value']);
/** Streams that tell a sampler's name and steps. */
const RANGE_STREAMS: ReadonlySet<Stream> = new Set(['sampler', 'sigmas']);
/**
 * How far up its sigmas a sampler's steps are looked for. Each sampler looks for itself, so that without an end the
 * work would be samplers times sigmas; people cut sigmas two or three times.
 */
const MAX_RANGE_VISITS = 64;

/** Finds the samplers that made the picture, orders them and chooses the primary one. */
export function listSamplers(
  trace: Trace,
  context: FlowContext,
  options: SelectOptions,
  debug: (line: string) => void,
): SamplerList {
  const streams = picturingNodes(trace, context);
  const ids = new Set<NodeId>();
  const candidates: SamplerEntry[] = [];
  for (const { node, distance } of trace.steps.values()) {
    const tier = tierOf(node, streams.get(node.id), context);
    if (!tier) continue;
    const entry = describeSampler(node, tier, distance, context);
    if (!entry) continue;
    ids.add(node.id);
    if (streams.has(node.id)) candidates.push(entry);
    else
      context.warn(
        'sampler/reference-only',
        `what ${node.classType} made only guides the picture, or is no part of it`,
        node.id,
      );
  }
  candidates.sort(byTraceOrder);
  debug(`[multi-sampler] candidates: ${candidates.map(label).join(', ') || 'none'}`);

  const primary = choosePrimary(candidates, options, context.warn);
  if (!primary) return { samplers: [], primary: undefined, ids };
  debug(`[multi-sampler] primary: ${primary.nodeId} (tier ${primary.tier})`);

  const ordered = [primary, ...candidates.filter((entry) => entry !== primary).sort(byRange)];
  const samplers = ordered.slice(0, Math.max(1, options.maxSamplers));
  const rest = ordered.slice(samplers.length);
  if (rest.length > 0) {
    context.warn(
      'sampler/capped',
      `${rest.length} more are not listed: ${rest
        .slice(0, 16)
        .map((entry) => entry.nodeId)
        .join(', ')}`,
    );
  }
  warnOverlaps(samplers, context.warn);
  return { samplers, primary, ids };
}

/** The nodes that took part in the picture itself, and the streams they were reached on. */
function picturingNodes(trace: Trace, context: FlowContext): ReadonlyMap<NodeId, ReadonlySet<Stream>> {
  const streams = new Map<NodeId, Set<Stream>>();
  const first = trace.steps.get(trace.start);
  if (!first) return streams;
  const start = { node: first.node, slot: 0, stream: 'image' as const };
  for (const { arrival } of walk(start, context, { follows: (step) => !GUIDING.has(step.stream) })) {
    if (!isPart(arrival, context)) continue;
    const known = streams.get(arrival.node.id);
    if (known) known.add(arrival.stream);
    else streams.set(arrival.node.id, new Set([arrival.stream]));
  }
  return streams;
}

/**
 * Whether what came out of a node here took part. What a sampler only hands on (its model, its conditioning, a value)
 * is not what it sampled.
 */
function isPart({ node, slot }: Arrival, { book }: FlowContext): boolean {
  const put = book.get(node.classType)?.rule.puts?.[slot];
  return put === undefined || !HANDED_ON.has(put);
}

function tierOf(
  node: PromptNode,
  reachedOn: ReadonlySet<Stream> | undefined,
  { book }: FlowContext,
): Tier | undefined {
  const rule = book.get(node.classType)?.rule;
  if (!rule) return undefined;
  if (rule.role === 'sampler') return 'A';
  const counts = (['STEPS', 'START_STEP', 'END_STEP'] as const).some(
    (field) => placesOf(rule, field).length > 0,
  );
  if (!counts || placesOf(rule, 'SAMPLER_NAME').length === 0) return undefined;
  const takesModel =
    Object.entries(rule.takes ?? {}).some(([input, on]) => on === 'model' && node.links.has(input)) ||
    Object.values(rule.uses ?? {}).includes('model');
  const putsLatent = rule.puts?.includes('latent') === true || reachedOn?.has('latent') === true;
  return takesModel || putsLatent ? 'B' : undefined;
}

/** Where a walk from a sampler begins: at the output that holds what it sampled, decoded or not. */
export function samplerArrival(node: PromptNode, { book }: FlowContext): Arrival {
  const puts = book.get(node.classType)?.rule.puts ?? [];
  const slot = puts.includes('latent') ? puts.indexOf('latent') : puts.indexOf('image');
  return { node, slot: Math.max(0, slot), stream: 'latent' };
}

function describeSampler(
  node: PromptNode,
  tier: Tier,
  distance: number,
  context: FlowContext,
): SamplerEntry | undefined {
  const facts = walkFacts(samplerArrival(node, context), context, {
    follows: (step) => RANGE_STREAMS.has(step.stream),
    maxVisits: MAX_RANGE_VISITS,
  });
  const range = resolveRange(node.id, facts, context.warn);
  const named = facts.find((fact) => fact.field === 'SAMPLER_NAME');
  if (tier === 'B' && (!named || (range.steps === undefined && range.startStep === undefined)))
    return undefined;
  const scheduled = facts.find((fact) => fact.field === 'SCHEDULER');
  return {
    nodeId: node.id,
    classType: node.classType,
    tier,
    ...(named && { samplerName: asText(named.value) }),
    ...(scheduled && { scheduler: asText(scheduled.value) }),
    ...range,
    sourceRuleIds: [...new Set(facts.filter(isRangeFact).map((fact) => fact.rule))],
    distance,
  };
}

function isRangeFact({ field }: MetFact): boolean {
  return ['SAMPLER_NAME', 'STEPS', 'START_STEP', 'END_STEP'].includes(field);
}

/** Farthest from the save node first: the order in which samplers run. */
function byTraceOrder(a: SamplerEntry, b: SamplerEntry): number {
  return b.distance - a.distance || compareNodeIds(a.nodeId, b.nodeId);
}

function byRange(a: SamplerEntry, b: SamplerEntry): number {
  return b.rangeLen - a.rangeLen || byTraceOrder(a, b);
}

/** @param candidates in trace order */
function choosePrimary(
  candidates: readonly SamplerEntry[],
  { select, sampler, pinned }: SelectOptions,
  warn: WarningSink,
): SamplerEntry | undefined {
  const byId = (id: NodeId | undefined): SamplerEntry | undefined =>
    candidates.find((entry) => entry.nodeId === id);
  if (pinned !== undefined) {
    const entry = byId(pinned);
    if (entry) return entry;
    warn('sampler/pin-ignored', 'this node is not a sampler of this picture', pinned);
  }
  if (sampler !== undefined) {
    const entry = byId(sampler);
    if (entry) return entry;
    const known = candidates.map((candidate) => candidate.nodeId).join(', ') || 'none';
    throw new LineageError(
      'graph/unknown-sampler',
      `expected the id of a sampler (${known}), got ${sampler}`,
      { node: sampler },
    );
  }
  if (select === 'farthest') return candidates[0];
  if (select === 'nearest')
    return candidates.toSorted((a, b) => a.distance - b.distance || compareNodeIds(a.nodeId, b.nodeId))[0];
  const best = candidates.some((entry) => entry.tier === 'A') ? 'A' : 'B';
  return candidates.filter((entry) => entry.tier === best).sort(byRange)[0];
}

function warnOverlaps(samplers: readonly SamplerEntry[], warn: WarningSink): void {
  const segments = samplers.filter((entry) => entry.isSegment && entry.rangeLen > 0).sort(byTraceOrder);
  for (const [index, a] of segments.entries()) {
    for (const b of segments.slice(index + 1)) {
      const [aStart, aEnd, bStart, bEnd] = [
        a.startStep ?? 0,
        a.endStep ?? 0,
        b.startStep ?? 0,
        b.endStep ?? 0,
      ];
      if (aStart > bEnd || bStart > aEnd) continue;
      warn(
        'sampler/overlap',
        `${a.nodeId} runs ${aStart}-${aEnd} and ${b.nodeId} runs ${bStart}-${bEnd}`,
        a.nodeId,
      );
    }
  }
}

function label(entry: SamplerEntry): string {
  const range =
    entry.startStep === undefined
      ? `${entry.steps ?? '?'} steps`
      : `${entry.startStep}-${entry.endStep ?? '?'}`;
  return `${entry.nodeId} ${entry.samplerName ?? '?'} (${range}, tier ${entry.tier})`;
}
