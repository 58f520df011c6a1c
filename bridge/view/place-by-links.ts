import type { PromptGraph } from '../../nodes/metadata/graph.ts';
import { PITCH, type Spot } from './grid.ts';

/** Passes over the columns; more change next to nothing. */
const SWEEPS = 4;

/**
 * Places nodes by their links alone, in columns from the left: each node right of all that it takes from, what takes
 * from nothing right beside its nearest user, and within a column near those that it is linked to.
 */
export function placeByLinks(graph: PromptGraph): ReadonlyMap<string, Spot> {
  const sources = new Map([...graph].map(([id, node]) => [id, sourcesOf(node.links.values(), graph)]));
  const users = usersOf(sources);
  const depths = depthsOf(sources, users);
  for (const [id, from] of sources) {
    const uses = users.get(id) ?? [];
    if (from.length === 0 && uses.length > 0)
      depths.set(id, Math.max(0, Math.min(...uses.map((user) => depths.get(user) ?? 0)) - 1));
  }
  const deepest = Math.max(0, ...depths.values());
  const columns = Array.from({ length: deepest + 1 }, (): string[] => []);
  for (const [id, depth] of depths) columns[depth]?.push(id);
  const filled = columns.filter((column) => column.length > 0);
  orderColumns(filled, sources, users);
  const tallest = Math.max(0, ...filled.map((column) => column.length));
  return new Map(
    filled.flatMap((column, index) =>
      column.map((id, row): [string, Spot] => {
        const above = ((tallest - column.length) * PITCH.y) / 2;
        return [id, { x: index * PITCH.x, y: above + row * PITCH.y }];
      }),
    ),
  );
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

function sourcesOf(links: Iterable<{ readonly from: string }>, graph: PromptGraph): readonly string[] {
  return [...new Set([...links].map(({ from }) => from))].filter((from) => graph.has(from));
}

function usersOf(sources: Neighbours): Neighbours {
  const users = new Map<string, string[]>([...sources.keys()].map((id) => [id, []]));
  for (const [id, from] of sources) for (const source of from) users.get(source)?.push(id);
  return users;
}

/** The longest way from a node without sources. A node in a circle counts as soon as nothing else is left to count. */
function depthsOf(sources: Neighbours, users: Neighbours): Map<string, number> {
  const waiting = new Map([...sources].map(([id, from]) => [id, from.length]));
  const depths = new Map<string, number>();
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  const settle = (id: string): void => {
    const before = (sources.get(id) ?? []).map((source) => depths.get(source) ?? -1);
    depths.set(id, 1 + Math.max(-1, ...before));
    waiting.delete(id);
    for (const user of users.get(id) ?? []) {
      const count = waiting.get(user);
      if (count === undefined) continue;
      waiting.set(user, count - 1);
      if (count === 1) ready.push(user);
    }
  };
  while (waiting.size > 0) {
    const next = ready.pop() ?? waiting.keys().next().value;
    if (next !== undefined && waiting.has(next)) settle(next);
  }
  return depths;
}

/** Each node moves to the mean height of its neighbours, by turns those on its left and those on its right. */
function orderColumns(columns: string[][], sources: Neighbours, users: Neighbours): void {
  const heights = new Map<string, number>();
  const note = (column: readonly string[]): void => {
    for (const [row, id] of column.entries()) heights.set(id, row - column.length / 2);
  };
  for (const column of columns) note(column);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const toRight = sweep % 2 === 0;
    for (const column of toRight ? columns : columns.toReversed()) {
      const means = new Map(
        column.map((id) => {
          const near = ((toRight ? sources : users).get(id) ?? []).map((each) => heights.get(each) ?? 0);
          const mean = near.reduce((sum, height) => sum + height, 0) / near.length;
          return [id, near.length === 0 ? (heights.get(id) ?? 0) : mean];
        }),
      );
      column.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0));
      note(column);
    }
  }
}
