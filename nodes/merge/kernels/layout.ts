/**
 * The block of shared memory that one instance of the kernels has for itself, in bytes from its start. Read by the
 * kernels and by what calls them, as TypeScript and as AssemblyScript: plain numbers only.
 */

// The first 1152 bytes are the kernels' own: `assembly/formats.ts`.

/** What the last encoding met: overflows and NaNs, u32 each. */
export const COUNTS = 1152;
/** Rows of the fused sums, one an input: address u32, weight f32, whether its difference is turned u32, nothing. */
export const TABLE = 1280;
export const ROW_BYTES = 16;
export const TABLE_ROWS = 128;
/** Or rows of sparse differences: address u32, nothing, then f64 scale, weight, vote, voice and share. */
export const SPARSE_ROW_BYTES = 48;
/** Two decoded inputs, a sum, and zeros, float32: together they stay in a core's first cache. */
export const TILE_FLOATS = 1024;
export const FIRST_TILE = 3328;
export const SECOND_TILE = 7424;
export const SUM_TILE = 11520;
export const ZEROS = 15616;
/** Of a checksum in the making: lanes, bytes that wait for more, how many bytes there were. @public for the kernels */
export const CHECKSUM = 19712;
/** All of it. */
export const SCRATCH = 20032;
