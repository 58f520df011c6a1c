import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { PromptGraph } from '../../nodes/metadata/graph.ts';
import { type Learnt, learn } from '../../nodes/metadata/learn.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { type Resources, resolveResources } from '../../nodes/metadata/resolve.ts';
import { chooseSaveNode } from '../../nodes/metadata/save-nodes.ts';
import type { CommandContext } from './command-context.ts';
import type { GraphSource } from './graph-source.ts';
import { withModels } from './machine.ts';
import { openRules } from './open-rules.ts';
import { type TraceOptions, toSelection } from './trace-options.ts';

/** What a graph tells, and the files that it names. */
type Traced = { readonly learnt: Learnt; readonly resources: Resources };

/** Traces graphs: one after the other, with the same rules and model files. */
export type Tracer = (
  graph: PromptGraph,
  source: GraphSource,
  /** What the picture at hand records of its files already. */
  known: RecordData | undefined,
  warn: WarningSink,
) => Promise<Traced>;

/**
 * Trace, capture and resolve as the options say: the middle of every command that starts from a graph.
 *
 * @param known what the picture at hand records of its files already
 * @throws LineageError of the choice of save node and sampler
 */
export async function traceGraph(
  graph: PromptGraph,
  source: GraphSource,
  options: TraceOptions,
  known: RecordData | undefined,
  warn: WarningSink,
  context: CommandContext,
): Promise<Traced> {
  return await withTracer(options, warn, context, (trace) => trace(graph, source, known, warn));
}

/**
 * Runs work with a tracer, for many graphs.
 *
 * @param warn gets what is wrong with the ledger of hashes
 */
export async function withTracer<T>(
  options: TraceOptions,
  warn: WarningSink,
  { terminal, signal }: CommandContext,
  work: (trace: Tracer) => Promise<T>,
): Promise<T> {
  const book = await openRules(options.rules, warn);
  return await withModels(options.models, warn, terminal, (models) => {
    return work(async (graph, source, known, warnOfGraph) => {
      const saveNode = chooseSaveNode(graph, book, options.node);
      const selection = { ...toSelection(options, source), debug: terminal.debug };
      const learnt = learn(graph, saveNode, book, selection, warnOfGraph);
      const recorded = known?.resources ?? [];
      const resources = await resolveResources(learnt, models, warnOfGraph, { signal, known: recorded });
      return { learnt, resources };
    });
  });
}
