import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { PromptGraph } from '../../nodes/metadata/graph.ts';
import { type Learnt, learn } from '../../nodes/metadata/learn.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { type Resources, resolveResources } from '../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { chooseSaveNode } from '../../nodes/metadata/save-nodes.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import type { CommandContext } from './command-context.ts';
import type { GraphSource } from './graph-source.ts';
import { withModels } from './machine.ts';
import { type TraceOptions, toSelection } from './trace-options.ts';

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
  { terminal, signal }: CommandContext,
): Promise<{ readonly learnt: Learnt; readonly resources: Resources }> {
  const book = createRuleBook(rulePacks);
  const saveNode = chooseSaveNode(graph, book, options.node);
  const selection = { ...toSelection(options, source), debug: terminal.debug };
  const learnt = learn(graph, saveNode, book, selection, warn);
  const resources = await withModels(options.models, warn, terminal, (models) =>
    resolveResources(learnt, models, warn, { signal, known: known?.resources ?? [] }),
  );
  return { learnt, resources };
}
