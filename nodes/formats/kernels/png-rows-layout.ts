/** Where the PNG kernels keep what, in bytes of their memory; read as TypeScript and as AssemblyScript. */

/** In front of a row: its left neighbours, which are zeros. @public for the kernels */
export const MARGIN = 16;
/** The longest row, 16,384 pixels of four bytes, and one vector. */
export const ROW_ROOM = 65_552;
/** Two rows, this one and the one above, each behind its margin. */
export const FIRST_ROW = 65_536 + MARGIN;
/** See FIRST_ROW. */
export const SECOND_ROW = FIRST_ROW + ROW_ROOM + MARGIN;
/** Four filtered rows to choose from. */
export const WORK = SECOND_ROW + ROW_ROOM;
/** A row of floats. */
export const FLOATS = WORK + 4 * ROW_ROOM;
/** Filtered rows, each behind the number of its filter. */
export const FILTERED = FLOATS + 4 * ROW_ROOM;
/** Of the filtered rows. */
export const FILTERED_BYTES = 1 << 20;
/** All of it. */
export const PNG_ROWS_BYTES = FILTERED + FILTERED_BYTES;
