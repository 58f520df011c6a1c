/** Where a node's upper left corner is drawn. */
export type Spot = { readonly x: number; readonly y: number };

/** All nodes are drawn alike: what is inside of them in an editor stands in the fields. */
export const NODE_SIZE = { width: 164, height: 42 } as const;
/** Between columns there is room for the links. */
export const PITCH = { x: NODE_SIZE.width + 44, y: NODE_SIZE.height + 14 } as const;
