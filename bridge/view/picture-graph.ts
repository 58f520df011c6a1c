import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { CarriedMetadata } from '../../nodes/metadata/carried.ts';
import { bareGraph, type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { NODE_SIZE, type Spot } from './grid.ts';
import { placeByLinks } from './place-by-links.ts';
import { placeByWorkflow } from './place-by-workflow.ts';

/** The graph of a picture as it is drawn: every node has its place, in pixels from the upper left. */
export type PictureGraph = {
  readonly nodes: readonly (Spot & {
    readonly id: string;
    readonly classType: string;
    /** What the owner called it, where that is another word. */
    readonly title?: string;
  })[];
  /** One for each two nodes, however many inputs are connected. */
  readonly links: readonly { readonly from: string; readonly to: string }[];
  readonly nodeSize: typeof NODE_SIZE;
  readonly width: number;
  readonly height: number;
  /** Whose order it is: that of the editor, or that of the links alone. */
  readonly placedBy: 'workflow' | 'links';
  /** How many nodes there was no room for. */
  readonly leftOut: number;
};

/** What a page still draws and scrolls at once; the largest graphs met have 900 nodes. */
const MAX_DRAWN = 1_500;

/**
 * The prompt graph that a picture carries, laid out.
 *
 * @param wanted ids that are drawn before all others, where the graph has too many nodes
 * @returns undefined for a picture without a prompt graph
 * @throws LineageError `graph/malformed`, `graph/too-deep`
 */
export function toPictureGraph(
  { prompt, workflow }: CarriedMetadata,
  wanted: ReadonlySet<string>,
  warn: WarningSink,
): PictureGraph | undefined {
  if (prompt === undefined) return undefined;
  const document = parseExactJson(prompt, warn);
  const whole = parsePromptGraph(document, warn);
  const graph = chooseDrawn(whole, wanted);
  const titles = titlesIn(document);
  const byWorkflow = workflow === undefined ? undefined : placeByWorkflow(graph, workflow);
  const spots = byWorkflow ?? placeByLinks(graph);
  const nodes = [...graph.values()].map(({ id, classType }) => {
    const title = titles.get(id);
    const { x, y } = spots.get(id) ?? { x: 0, y: 0 };
    return { id, classType, ...(title !== undefined && title !== classType && { title }), x, y };
  });
  return {
    nodes,
    links: linksOf(graph),
    nodeSize: NODE_SIZE,
    width: Math.max(...nodes.map(({ x }) => x)) + NODE_SIZE.width,
    height: Math.max(...nodes.map(({ y }) => y)) + NODE_SIZE.height,
    placedBy: byWorkflow ? 'workflow' : 'links',
    leftOut: whole.size - graph.size,
  };
}

function chooseDrawn(graph: PromptGraph, wanted: ReadonlySet<string>): PromptGraph {
  if (graph.size <= MAX_DRAWN) return graph;
  const all = [...graph];
  const first = all.filter(([id]) => wanted.has(id));
  const rest = all.filter(([id]) => !wanted.has(id));
  return new Map([...first, ...rest].slice(0, MAX_DRAWN));
}

function linksOf(graph: PromptGraph): PictureGraph['links'] {
  return [...graph.values()].flatMap((node) =>
    [...new Set([...node.links.values()].map(({ from }) => from))]
      .filter((from) => graph.has(from))
      .map((from) => ({ from, to: node.id })),
  );
}

function titlesIn(document: unknown): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  const bare = bareGraph(document);
  for (const [id, node] of Object.entries(isRecord(bare) ? bare : {})) {
    const meta = isRecord(node) ? node['_meta'] : undefined;
    const title = isRecord(meta) ? meta['title'] : undefined;
    if (typeof title === 'string' && title !== '') titles.set(id, title);
  }
  return titles;
}
