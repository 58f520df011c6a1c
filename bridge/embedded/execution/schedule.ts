import { createReadyQueue, type Queued } from './ready-queue.ts';

/** What the schedule asks about nodes. */
export type GraphView = {
  /** The nodes whose results it needs before it can start, in the order of its inputs. @throws NodeNotFoundError */
  needs(id: string): readonly string[];
  /** Runs for its effect. */
  isOutput(id: string): boolean;
  /** Better started early, since others can go on beside it. */
  isAsync(id: string): boolean;
  /** Its result is there: it needs no run. */
  isCached(id: string): boolean;
  /** A cached result that is to be there when the node comes up. */
  keep(id: string): void;
  /** `to` takes a result of `from`; called for every link that counts, cached or not. */
  onLink(from: string, to: string): void;
};

/** Which nodes of a job still have to run, and which of them comes next. */
export type Schedule = {
  isEmpty(): boolean;
  /** A node is to run, and before it whatever it needs. One whose result is there comes up alone. */
  add(id: string): void;
  /** `to`, which is in the schedule, also needs `from`. */
  link(from: string, to: string): void;
  /**
   * Takes the next node in hand; undefined when none is ready. Outputs and async nodes come first, then what feeds an
   * output, then what feeds that, so that results show early; among equals the one that was added first.
   */
  pick(): string | undefined;
  /** The node in hand goes back: it waits for something. */
  putBack(id: string): void;
  /** The node in hand is done. */
  complete(id: string): void;
  /** The node waits for something outside the graph, until the function given back is called. */
  hold(id: string): () => void;
  /** Nodes on cycles, and those behind them, in the order they were added. Only when nothing is ready. */
  stuck(): readonly string[];
};

type Entry = Queued & {
  readonly id: string;
  readonly isOutput: boolean;
  readonly isFirst: boolean;
  feedsOutput: boolean;
  feedsFeeder: boolean;
  inHand: boolean;
  /** What it waits for: nodes and holds. */
  blockers: number;
  readonly blocks: Set<Entry>;
  readonly blockedBy: Entry[];
};

const RANKS = 4;

/** A topological order that is found while nodes run, since nodes may ask for more. Linear in nodes and links. */
export function createSchedule(graph: GraphView): Schedule {
  const pending = new Map<string, Entry>();
  const queue = createReadyQueue<Entry>(RANKS, isReady);
  let added = 0;

  function isReady(entry: Entry): boolean {
    return entry.blockers === 0 && !entry.inHand && pending.get(entry.id) === entry;
  }

  function queueIfReady(entry: Entry): void {
    if (isReady(entry)) queue.push(entry, rankOf(entry));
  }

  function requireEntry(id: string): Entry {
    const entry = pending.get(id);
    if (!entry) throw new Error(`node ${id} is not in the schedule`);
    return entry;
  }

  function create(id: string): Entry {
    const isOutput = graph.isOutput(id);
    const entry: Entry = {
      id,
      order: added++,
      queuedAs: -1,
      isOutput,
      isFirst: isOutput || graph.isAsync(id),
      feedsOutput: false,
      feedsFeeder: false,
      inHand: false,
      blockers: 0,
      blocks: new Set(),
      blockedBy: [],
    };
    pending.set(id, entry);
    return entry;
  }

  function add(root: string): void {
    const fresh: Entry[] = [];
    const links: (readonly [from: string, to: string])[] = [];
    // The last input comes first: ComfyUI's order (comfy_execution/graph.py), which shows in the messages.
    const stack = [root];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (pending.has(id)) continue;
      fresh.push(create(id));
      if (id === root && graph.isCached(root)) {
        graph.keep(id);
        continue;
      }
      for (const from of graph.needs(id)) {
        if (!graph.isCached(from)) stack.push(from);
        links.push([from, id]);
      }
    }
    for (const [from, to] of links) link(from, to);
    for (const entry of fresh) queueIfReady(entry);
  }

  function link(from: string, to: string): void {
    if (!graph.isCached(from)) {
      if (!pending.has(from)) add(from);
      block(requireEntry(from), requireEntry(to));
    }
    graph.onLink(from, to);
  }

  function block(from: Entry, to: Entry): void {
    if (from.blocks.has(to)) return;
    from.blocks.add(to);
    to.blockedBy.push(from);
    to.blockers++;
    if (to.isOutput && !from.feedsOutput) {
      from.feedsOutput = true;
      for (const feeder of from.blockedBy) markFeeder(feeder);
    }
    if (to.feedsOutput) markFeeder(from);
    queueIfReady(from);
  }

  function markFeeder(entry: Entry): void {
    entry.feedsFeeder = true;
    queueIfReady(entry);
  }

  function release(entry: Entry): void {
    entry.blockers--;
    queueIfReady(entry);
  }

  return {
    isEmpty: () => pending.size === 0,
    add,
    link,
    pick() {
      const entry = queue.pop();
      if (entry) entry.inHand = true;
      return entry?.id;
    },
    putBack(id) {
      const entry = requireEntry(id);
      entry.inHand = false;
      queueIfReady(entry);
    },
    complete(id) {
      const entry = requireEntry(id);
      pending.delete(id);
      for (const waiting of entry.blocks) release(waiting);
    },
    hold(id) {
      const entry = requireEntry(id);
      entry.blockers++;
      return () => release(entry);
    },
    stuck: () => stuckNodes(pending.values()),
  };
}

function rankOf(entry: Entry): number {
  if (entry.isFirst) return 0;
  if (entry.feedsOutput) return 1;
  return entry.feedsFeeder ? 2 : 3;
}

/** What is left when nodes without blockers are taken away, again and again. */
function stuckNodes(pending: Iterable<Entry>): string[] {
  const blockers = new Map<Entry, number>();
  for (const entry of pending) blockers.set(entry, entry.blockers);
  const free = [...blockers.keys()].filter((entry) => entry.blockers === 0);
  for (let entry = free.pop(); entry; entry = free.pop()) {
    blockers.delete(entry);
    for (const waiting of entry.blocks) {
      const left = (blockers.get(waiting) ?? 0) - 1;
      blockers.set(waiting, left);
      if (left === 0) free.push(waiting);
    }
  }
  return [...blockers.keys()].map((entry) => entry.id);
}
