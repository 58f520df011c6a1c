import { type Container, spliceContainer } from '../../formats/container.ts';
import { eraseAvif } from '../../formats/parts/erase-avif.ts';
import { jfifWithoutThumbnail } from '../../formats/parts/jpeg-parts.ts';
import { joinParts, listParts } from '../../formats/parts/list-parts.ts';
import type { NewPart } from '../../formats/parts/part.ts';
import { frameWithoutStrangers } from '../../formats/parts/webp-parts.ts';
import { exifOfOrientation } from './orientation.ts';

/** A picture with nothing around it. */
export type BarePicture = {
  readonly bytes: Uint8Array;
  /** The names of the parts that went. */
  readonly removed: readonly string[];
  /** The block that tells how it is turned, where one had to be made. */
  readonly exif?: Uint8Array;
};

/**
 * The pixels, the colour profile and the orientation of a picture, as they stand in its file. Only what is known to be
 * one of these stays, so that no place is forgotten.
 *
 * @throws LineageError of the container
 */
export function barePicture(bytes: Uint8Array, container: Container): BarePicture {
  const { format, exif } = container;
  // An AVIF is turned by properties of its own, which stay; readers do not look into its EXIF for that.
  if (format === 'avif') return { bytes: eraseAvif(bytes), removed: namesOf(container) };
  const kept: NewPart[] = [];
  const removed: string[] = [];
  for (const part of listParts(bytes, format)) {
    const plain = jfifWithoutThumbnail(part);
    const frame = frameWithoutStrangers(part);
    if (part.role === 'colour') kept.push({ part });
    else if (part.role === 'pixels') kept.push(frame ? { part, data: frame } : { part });
    else if (plain) kept.push({ part, data: plain });
    if (part.role !== 'colour' && part.role !== 'pixels') removed.push(part.name);
  }
  const bare = joinParts(bytes, format, kept);
  const turned = exifOfOrientation(exif, container);
  return turned
    ? { bytes: spliceContainer(bare, { exif: turned }), removed, exif: turned }
    : { bytes: bare, removed };
}

function namesOf({ exif, xmp, hasC2pa }: Container): string[] {
  return [...(exif ? ['Exif'] : []), ...(xmp === undefined ? [] : ['XMP']), ...(hasC2pa ? ['C2PA'] : [])];
}
