/** [from, to) of a file. */
export type Range = { readonly from: number; readonly to: number };
