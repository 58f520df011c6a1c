import type { ImageFormat } from '../../kit/values.ts';
import { joinJpegParts, listJpegParts } from './jpeg-parts.ts';
import type { NewPart, Part } from './part.ts';
import { joinPngParts, listPngParts } from './png-parts.ts';
import { joinWebpParts, listWebpParts } from './webp-parts.ts';

/** Formats that are rows of parts. An AVIF is none: its items lie anywhere in its data. */
export type PartedFormat = Exclude<ImageFormat, 'avif'>;

/**
 * All parts of a file, which cover it without a gap.
 *
 * @throws LineageError `png/malformed`, `jpeg/malformed`, `webp/malformed`
 */
export type PartLister = (bytes: Uint8Array, format: PartedFormat) => readonly Part[];

/**
 * A lister that remembers: a file is listed several times on its way, and following its coded data costs more than all
 * else.
 *
 * @returns takes bytes that are not modified as long as it is in use
 */
export function createPartLister(): PartLister {
  const listed = new WeakMap<Uint8Array, readonly Part[]>();
  return (bytes, format) => {
    const known = listed.get(bytes);
    if (known) return known;
    const parts = LISTERS[format](bytes);
    listed.set(bytes, parts);
    return parts;
  };
}

const LISTERS: Readonly<Record<PartedFormat, (bytes: Uint8Array) => readonly Part[]>> = {
  png: listPngParts,
  jpeg: listJpegParts,
  webp: listWebpParts,
};

/**
 * The file of these parts of another one; what gives no data of its own keeps its bytes.
 *
 * @param bytes the file that the parts were listed from; not modified
 * @throws LineageError `jpeg/segment-too-large`
 */
export function joinParts(bytes: Uint8Array, format: PartedFormat, parts: readonly NewPart[]): Uint8Array {
  if (format === 'png') return joinPngParts(bytes, parts);
  return format === 'jpeg' ? joinJpegParts(bytes, parts) : joinWebpParts(parts);
}
