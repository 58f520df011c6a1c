import { ExactNumber, findExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { PromptGraph } from '../../nodes/metadata/graph.ts';
import { PITCH, type Spot } from './grid.ts';

/** Nodes of the editor are 200 to 400 wide: left edges nearer than this stand in one column. */
const COLUMN_WIDTH = 160;
/** Of the editor's heights; nodes are drawn so much smaller here. */
const HEIGHT_SCALE = 0.35;

/**
 * Places nodes as their owner did: who stands left, right, above or below of whom. Distances are drawn in, since the
 * nodes are smaller here and some owners leave a screen between two of them.
 *
 * @param workflow JSON in the editor's format
 * @returns undefined where not every node has a place there: nodes of a subgraph have theirs on a canvas of its own
 */
export function placeByWorkflow(graph: PromptGraph, workflow: string): ReadonlyMap<string, Spot> | undefined {
  const known = readPositions(workflow);
  const placed: (Spot & { readonly id: string })[] = [];
  for (const id of graph.keys()) {
    const spot = known.get(id);
    if (!spot) return undefined;
    placed.push({ id, ...spot });
  }
  const columns = toColumns(placed);
  const top = Math.min(...placed.map(({ y }) => y));
  const reach = Math.max(1, Math.max(...placed.map(({ y }) => y)) - top);
  // However far apart they stood: no higher than all nodes in one column.
  const scale = Math.min(HEIGHT_SCALE, (placed.length * PITCH.y) / reach);
  const spots = new Map<string, Spot>();
  for (const [index, column] of columns.entries()) {
    let free = 0;
    for (const { id, y } of column) {
      const at = Math.max(free, Math.round((y - top) * scale));
      spots.set(id, { x: index * PITCH.x, y: at });
      free = at + PITCH.y;
    }
  }
  return spots;
}

/** From the left, each from the top. */
function toColumns<T extends Spot>(placed: readonly T[]): readonly (readonly T[])[] {
  const columns: T[][] = [];
  let edge = Number.NEGATIVE_INFINITY;
  for (const each of placed.toSorted((a, b) => a.x - b.x)) {
    const last = columns.at(-1);
    if (last && each.x - edge < COLUMN_WIDTH) last.push(each);
    else {
      columns.push([each]);
      edge = each.x;
    }
  }
  return columns.map((column) => column.toSorted((a, b) => a.y - b.y));
}

/** What is no workflow places nothing. */
function readPositions(text: string): ReadonlyMap<string, Spot> {
  const spots = new Map<string, Spot>();
  const workflow = findExactJson(text, () => {});
  const nodes = isRecord(workflow) ? workflow['nodes'] : undefined;
  for (const node of Array.isArray(nodes) ? nodes : []) {
    if (!isRecord(node)) continue;
    const { id, pos } = { id: node['id'], pos: node['pos'] };
    // Older versions of LiteGraph saved the two as an object, {"0": 40, "1": 60}.
    const [x, y] = Array.isArray(pos) ? pos : isRecord(pos) ? [pos['0'], pos['1']] : [];
    const spot = { x: finite(x), y: finite(y) };
    if (spot.x !== undefined && spot.y !== undefined && id !== undefined)
      spots.set(String(id), { x: spot.x, y: spot.y });
  }
  return spots;
}

function finite(value: unknown): number | undefined {
  const number = value instanceof ExactNumber ? value.value : value;
  // Beyond this, differences are no longer exact.
  return typeof number === 'number' && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
}
