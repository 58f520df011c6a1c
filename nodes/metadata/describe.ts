import type { ModelStore } from '../kit/host.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { NodeId, PromptGraph } from './graph.ts';
import type { Parameters } from './infotext.ts';
import { type LearnOptions, type Learnt, learn } from './learn.ts';
import { type ParameterOptions, toParameters } from './parameters.ts';
import { type RecordData, toRecord } from './record.ts';
import { type Resources, resolveResources } from './resolve.ts';
import type { RuleBook } from './rule-book.ts';

/** Everything that is known of a picture before it is written. */
export type Description = { readonly learnt: Learnt; readonly resources: Resources };

/** Trace, capture and resolve, in this order: the middle of the way from a prompt graph to a file. */
export async function describePicture(
  graph: PromptGraph,
  saveNode: NodeId,
  setup: { readonly book: RuleBook; readonly models: ModelStore; readonly options: LearnOptions },
  warn: WarningSink,
  signal?: AbortSignal,
): Promise<Description> {
  const learnt = learn(graph, saveNode, setup.book, setup.options, warn);
  return { learnt, resources: await resolveResources(learnt, setup.models, warn, signal) };
}

/** The two forms in which a file tells of itself: the infotext for people and sites, the record for us. */
export function writeUp(
  { learnt, resources }: Description,
  options: ParameterOptions,
  generator: string,
  warn: WarningSink,
): { readonly parameters: Parameters; readonly record: RecordData } {
  const { size, batch } = options;
  return {
    parameters: toParameters(learnt, resources, options, warn),
    record: toRecord(learnt, resources, { generator, ...(size && { size }), ...(batch && { batch }) }),
  };
}
