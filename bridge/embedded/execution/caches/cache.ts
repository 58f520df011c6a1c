/** What a node left behind: for each output slot the list of its elements, and what it told the client. */
export type CacheEntry = {
  readonly outputs: readonly (readonly unknown[])[];
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
};

/** A node with the key its result is kept under, see `Signatures`. */
export type KeyedNode = { readonly id: string; readonly classType: string; readonly key: string };

/**
 * Where results live between nodes and between jobs. A node that was not announced by `openJob` or `openExpansion`
 * has no place: nothing is found for it, nothing is stored.
 */
export type ResultCache = {
  /** A job begins with these nodes; what the policy no longer wants is dropped. */
  openJob(nodes: readonly KeyedNode[]): void;
  /** The node `parent` of the running job grew these. */
  openExpansion(parent: string, children: readonly KeyedNode[]): void;
  /** The result of a node, if it or one with the same key has run. Counts as use. */
  find(nodeId: string): CacheEntry | undefined;
  store(nodeId: string, entry: CacheEntry): void;
  /** Called after every node: a chance to give memory back. */
  relieve(): void;
  /** The job is over: results that can never be found again go. */
  closeJob(): void;
  /** The nodes it has places for, those of expansions it remembers included. */
  nodeIds(): readonly string[];
  /** Drops every result. */
  clear(): void;
};

/** Keys that hold for one job only start with this: something in them never equals anything. */
export const VOLATILE = '~';
