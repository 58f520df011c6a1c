import { type CacheEntry, type KeyedNode, type ResultCache, VOLATILE } from './cache.ts';

/** Results of the nodes of one graph: of the prompt, or of what one node expanded into. */
type Scope = {
  readonly entries: Map<string, CacheEntry>;
  /** Expansions of its nodes, by node id and class. */
  readonly expansions: Map<string, Scope>;
  ids: readonly string[];
};

/** Where the result of a node lives. */
type Place = { readonly scope: Scope; readonly node: KeyedNode };

/**
 * Keeps what the current prompt uses and drops the rest when the next one starts. Each expansion is a graph of its own
 * under its node, kept as long as that node (by id and class) is in the prompt: a loop that runs once more than last
 * time finds the earlier rounds.
 */
export function createClassicCache(): ResultCache {
  const root = createScope();
  /** Of every node of the job; direct, since a loop nests one scope a round. */
  const places = new Map<string, Place>();

  function open(scope: Scope, nodes: readonly KeyedNode[]): void {
    for (const node of nodes) places.set(node.id, { scope, node });
    keepOnly(scope.entries, nodes, (node) => node.key);
    keepOnly(scope.expansions, nodes, expansionName);
    scope.ids = nodes.map((node) => node.id);
  }

  return {
    openJob(nodes) {
      places.clear();
      open(root, nodes);
    },
    openExpansion(parent, children) {
      const place = places.get(parent);
      if (!place) return;
      const name = expansionName(place.node);
      const scope = place.scope.expansions.get(name) ?? createScope();
      place.scope.expansions.set(name, scope);
      open(scope, children);
    },
    find(nodeId) {
      const place = places.get(nodeId);
      return place?.scope.entries.get(place.node.key);
    },
    store(nodeId, entry) {
      const place = places.get(nodeId);
      place?.scope.entries.set(place.node.key, entry);
    },
    relieve() {},
    closeJob() {
      for (const { scope, node } of places.values()) {
        if (node.key.startsWith(VOLATILE)) scope.entries.delete(node.key);
      }
    },
    nodeIds() {
      const ids: string[] = [];
      const open = [root];
      for (let scope = open.pop(); scope; scope = open.pop()) {
        // Not spread into push: a graph may have more nodes than a call takes arguments.
        for (const id of scope.ids) ids.push(id);
        for (const expansion of scope.expansions.values()) open.push(expansion);
      }
      return ids;
    },
    clear() {
      // The nodes of a running job keep their places in scopes that still exist.
      for (const { scope } of places.values()) scope.entries.clear();
      root.entries.clear();
      root.expansions.clear();
    },
  };
}

function expansionName({ id, classType }: KeyedNode): string {
  return `${classType}\0${id}`;
}

function keepOnly(
  kept: Map<string, unknown>,
  nodes: readonly KeyedNode[],
  nameOf: (node: KeyedNode) => string,
): void {
  if (kept.size === 0) return;
  const used = new Set(nodes.map(nameOf));
  for (const name of kept.keys()) if (!used.has(name)) kept.delete(name);
}

function createScope(): Scope {
  return { entries: new Map(), expansions: new Map(), ids: [] };
}
