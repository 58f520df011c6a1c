import type { WarningSink } from '../kit/warnings.ts';
import {
  type CapturedFact,
  capturePicture,
  captureSampler,
  captureUnsampled,
  type PictureCapture,
  type SamplerCapture,
} from './capture.ts';
import { createEvaluator, type ExecutedValues } from './evaluate.ts';
import { type FlowContext, isLive } from './flow.ts';
import type { NodeId, PromptGraph } from './graph.ts';
import { type Hint, readHints } from './hints.ts';
import type { RuleBook } from './rule-book.ts';
import { listSamplers, type SamplerEntry, type SelectOptions } from './samplers.ts';
import { type DanglingLink, type Trace, traceUpstream } from './trace.ts';

/** Everything that a prompt graph tells of the picture that one node saves. */
export type Learnt = {
  readonly saveNode: NodeId;
  /** Primary first. Empty where the graph has no known sampler. */
  readonly samplers: readonly SamplerEntry[];
  readonly primary: SamplerEntry | undefined;
  /** What belongs to each listed sampler, in the order of `samplers`; one without an id where there is none. */
  readonly captures: readonly [SamplerCapture, ...SamplerCapture[]];
  readonly picture: PictureCapture;
  readonly unknown: readonly { readonly nodeId: NodeId; readonly classType: string }[];
  readonly dangling: readonly DanglingLink[];
};

export type LearnOptions = SelectOptions & {
  readonly executed?: ExecutedValues;
  /** Nodes that the workflow marks as the prompt, the model or the seed. */
  readonly hints?: readonly Hint[];
  readonly debug?: (line: string) => void;
};

/**
 * Trace and capture: walks upstream from the save node, lists the samplers and reads what each of them used.
 * Pure; linear in nodes and links for a fixed number of listed samplers.
 *
 * @throws LineageError `graph/unknown-node`, `graph/unknown-sampler`
 */
export function learn(
  graph: PromptGraph,
  saveNode: NodeId,
  book: RuleBook,
  options: LearnOptions,
  warn: WarningSink,
): Learnt {
  const context: FlowContext = {
    graph,
    book,
    evaluator: createEvaluator(graph, book, options.executed),
    warn,
  };
  const trace = traceUpstream(graph, saveNode, (node, input) => isLive(node, input, context), warn);
  const unknown = listUnknown(trace, book, warn);
  const { samplers, primary, ids } = listSamplers(trace, context, options, options.debug ?? (() => {}));
  const picture = capturePicture(trace, context, ids);
  const listed = samplers.map(({ nodeId }) => nodeId);
  const hinted = readHints(options.hints ?? [], trace, context, { all: ids, listed });
  const [first, ...rest] = listed.map((nodeId) => hinted(captureSampler(nodeId, trace, context, ids)));
  if (!first && picture.source)
    warn('source/kept', `the picture comes from ${picture.source.image}`, picture.source.nodeId);
  else if (!first) warn('sampler/none', 'no known sampler made this picture', saveNode);
  return {
    saveNode,
    samplers,
    primary,
    captures: [first ?? hinted(captureUnsampled(trace, context)), ...rest],
    picture,
    unknown,
    dangling: trace.dangling,
  };
}

/** All facts, those of the samplers first. */
export function allFacts({ captures, picture }: Learnt): readonly CapturedFact[] {
  return [...captures.flatMap((capture) => capture.facts), ...picture.facts];
}

function listUnknown(trace: Trace, book: RuleBook, warn: WarningSink): Learnt['unknown'] {
  const unknown: { nodeId: NodeId; classType: string }[] = [];
  for (const { node } of trace.steps.values()) {
    if (book.has(node.classType)) continue;
    unknown.push({ nodeId: node.id, classType: node.classType });
    warn('graph/unknown-class', `no rule pack knows ${node.classType}`, node.id);
  }
  return unknown;
}
