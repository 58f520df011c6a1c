/** Coded data end before the picture does, or hold what there is not: thrown and caught where they are followed. */
export class Unreadable extends Error {}
