import type { Stream } from '../../rules/define.ts';
import type { Fact } from './facts.ts';
import type { FlowContext } from './flow.ts';
import type { NodeId, PromptNode } from './graph.ts';
import { asText } from './operations.ts';
import { estimateSize, type Size } from './picture-size.ts';
import { composePrompt } from './prompts.ts';
import { samplerArrival } from './samplers.ts';
import { pathToStart, type Trace } from './trace.ts';
import { factsAlong, type MetFact, visitPath, type WalkOptions, walk, walkFacts } from './walk.ts';

/** A fact and whose it is. */
export type CapturedFact = Fact & {
  /** The sampler it belongs to; null for facts of the picture (its size, the VAE that decoded it). */
  readonly sampler: NodeId | null;
  /** The stream on which it was met. */
  readonly stream: Stream;
  /**
   * Node ids from where the value was found down to the save node. Computed when asked: paths can be long. Beyond
   * 128 ids the middle is left out, and `…` stands for it: whole paths would grow with the square of a chain.
   */
  readonly path: () => readonly NodeId[];
};

/** What belongs to one sampler alone. */
export type SamplerCapture = {
  readonly nodeId: NodeId | null;
  readonly positive: string;
  readonly negative: string;
  /** Nearest first. */
  readonly facts: readonly CapturedFact[];
};

export type PictureCapture = {
  readonly facts: readonly CapturedFact[];
  /** What the graph says of the size; the picture's own size is better where there is one. */
  readonly size?: Size;
  /** The picture that is only passed on, where nothing sampled it. */
  readonly source?: { readonly nodeId: NodeId; readonly image: string };
};

/** Ids of a path. Longer than any way through a graph that people wire. */
const MAX_PATH_IDS = 128;

/** The way of the finished picture. */
const PICTURE: ReadonlySet<Stream> = new Set(['image', 'latent', 'vae', 'upscale']);
/** What conditions a sampler; what it starts from belongs to the picture or to the sampler before it. */
const NOT_ITS_OWN: ReadonlySet<Stream> = new Set(['image', 'latent', 'vae']);

/** Each sampler's own model, LoRAs, prompts, seed and settings, found by walking from that sampler. */
export function captureSampler(
  nodeId: NodeId,
  trace: Trace,
  context: FlowContext,
  samplers: ReadonlySet<NodeId>,
): SamplerCapture {
  const step = trace.steps.get(nodeId);
  if (!step) return { nodeId, positive: '', negative: '', facts: [] };
  const start = samplerArrival(step.node, context);
  const facts = walkFacts(start, context, {
    follows: ({ stream }) => !NOT_ITS_OWN.has(stream),
    isForeign: (node) => samplers.has(node.id),
  });
  const below = pathToStart(step.toward);
  const own = facts.map((fact) => toCaptured(fact, nodeId, below, trace.start));
  return {
    nodeId,
    positive: composePrompt(start, 'positive', context),
    negative: composePrompt(start, 'negative', context),
    facts: [...own, ...embeddingFacts(own)],
  };
}

/** The facts that belong to no single sampler: what decoded, scaled or loaded the picture. */
export function capturePicture(
  trace: Trace,
  context: FlowContext,
  samplers: ReadonlySet<NodeId>,
): PictureCapture {
  const first = trace.steps.get(trace.start);
  if (!first) return { facts: [] };
  const start = { node: first.node, slot: 0, stream: 'image' as const };
  const way: WalkOptions = {
    follows: ({ stream }) => PICTURE.has(stream),
    isForeign: (node) => samplers.has(node.id),
  };
  const visits = walk(start, context, way);
  const facts = factsAlong(visits, context, way).map((fact) => toCaptured(fact, null, [], trace.start));
  const arrivals = visits.map(({ arrival }) => arrival);
  const size = estimateSize(arrivals, facts, context);
  // An unknown node on the way may have sampled: then the picture is not its source's any more.
  const onlyPasses = samplers.size === 0 && arrivals.every(({ node }) => context.book.has(node.classType));
  const source = onlyPasses ? findSource(facts, context) : undefined;
  return { facts, ...(size && { size }), ...(source && { source }) };
}

/** With no sampler known: every fact that can be found, as if they belonged to one. */
export function captureUnsampled(trace: Trace, context: FlowContext): SamplerCapture {
  const first = trace.steps.get(trace.start);
  if (!first) return { nodeId: null, positive: '', negative: '', facts: [] };
  const all = walkFacts({ node: first.node, slot: 0, stream: 'image' }, context, {
    follows: ({ stream }) => stream !== 'reference',
  }).map((fact) => toCaptured(fact, null, [], trace.start));
  const facts = all.filter((fact) => !PICTURE_FIELDS.has(fact.field));
  const join = (field: 'POSITIVE_PROMPT' | 'NEGATIVE_PROMPT'): string =>
    [...new Set(facts.filter((fact) => fact.field === field).map((fact) => asText(fact.value).trim()))]
      .filter((text) => text !== '')
      .join('\n');
  return {
    nodeId: null,
    positive: join('POSITIVE_PROMPT'),
    negative: join('NEGATIVE_PROMPT'),
    facts: [...facts, ...embeddingFacts(facts)],
  };
}

/** Fields that `capturePicture` gives. */
const PICTURE_FIELDS: ReadonlySet<string> = new Set([
  'VAE_NAME',
  'IMAGE_WIDTH',
  'IMAGE_HEIGHT',
  'SCALE_BY',
  'UPSCALE_MODEL_NAME',
  'BATCH_SIZE',
  'FRAME_COUNT',
  'FRAME_RATE',
  'SOURCE_IMAGE',
]);

function toCaptured(
  fact: MetFact,
  sampler: NodeId | null,
  below: readonly NodeId[],
  saveNode: NodeId,
): CapturedFact {
  const { visit } = fact;
  return {
    ...fact,
    sampler,
    stream: visit.arrival.stream,
    path: () => {
      const limit = MAX_PATH_IDS + 1;
      return shortenPath([...fact.through, ...visitPath(visit, limit), ...below.slice(0, limit)], saveNode);
    },
  };
}

/** A path down to the save node; `…` stands for the middle of a long one. */
export function shortenPath(path: readonly NodeId[], saveNode: NodeId): readonly NodeId[] {
  return path.length <= MAX_PATH_IDS ? path : [...path.slice(0, MAX_PATH_IDS - 2), '…', saveNode];
}

/** Embeddings that prompts name in ComfyUI's own way: a word that starts with `embedding:`. */
export function embeddingFacts(facts: readonly CapturedFact[]): CapturedFact[] {
  const found = new Map<string, CapturedFact>();
  for (const fact of facts) {
    if (fact.field !== 'POSITIVE_PROMPT' && fact.field !== 'NEGATIVE_PROMPT') continue;
    for (const [, name] of asText(fact.value).matchAll(/(?<![^\s(,])embedding:([^\s,():[\]]+)/g)) {
      const key = `${name}`.toLowerCase();
      if (!name || found.has(key)) continue;
      found.set(key, { ...fact, field: 'EMBEDDING_NAME', value: name, item: key });
    }
  }
  return [...found.values()];
}

/** The one finished picture on the way; where several meet, the result is none of them. */
function findSource(
  facts: readonly CapturedFact[],
  { book, graph }: FlowContext,
): { nodeId: NodeId; image: string } | undefined {
  const isSource = (node: PromptNode | undefined): boolean =>
    node !== undefined && book.get(node.classType)?.rule.role === 'source';
  const sources = facts.filter((each) => each.field === 'SOURCE_IMAGE' && isSource(graph.get(each.nodeId)));
  const [only, ...others] = sources;
  return only && others.length === 0 ? { nodeId: only.nodeId, image: asText(only.value) } : undefined;
}
