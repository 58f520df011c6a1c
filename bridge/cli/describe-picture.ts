import type { Container } from '../../nodes/formats/container.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { bareGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { readRecord } from '../../nodes/metadata/read-record.ts';
import { type WrittenUp, writeUp } from '../../nodes/metadata/write-up.ts';
import type { GraphSource } from './graph-source.ts';
import { inFile } from './json-file.ts';
import type { Tracer } from './trace-graph.ts';

/** What a picture is to say of itself, and where the graph of it was found. */
type DescribeOptions = {
  readonly source: GraphSource;
  readonly graphFile: string;
  readonly extra: ReadonlyMap<string, string>;
  /** Whether it says that a model made it. Default true. */
  readonly digitalSource?: boolean;
};

/**
 * All that a picture is to carry, from its graph and from what it carries already.
 *
 * @throws LineageError `graph/malformed` and of tracing
 */
export async function describePicture(
  container: Container,
  { source, graphFile, extra, digitalSource = true }: DescribeOptions,
  trace: Tracer,
  warn: WarningSink,
): Promise<WrittenUp> {
  const graph = inFile(graphFile, () => parsePromptGraph(source.prompt, warn));
  const carried = readCarried(container);
  const before = carried.record === undefined ? undefined : readRecord(carried.record, warn);
  const { learnt, resources } = await trace(graph, source, before, warn);
  const { width, height } = container;
  const graphs = { prompt: bareGraph(source.prompt), workflow: source.workflow };
  const told = { size: { width, height }, extra, graphs, source: carried, digitalSource };
  return writeUp(learnt, resources, told, warn);
}
