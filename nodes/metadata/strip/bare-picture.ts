import { type Container, readContainer, spliceContainer } from '../../formats/container.ts';
import { eraseAvif } from '../../formats/parts/erase-avif.ts';
import { joinParts, type PartLister } from '../../formats/parts/list-parts.ts';
import type { NewPart } from '../../formats/parts/part.ts';
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
 * The pixels, the colour profile and the orientation of a picture. Only what is known to be one of these stays, so that
 * no place is forgotten; of a profile, its colours.
 *
 * @throws LineageError of the container
 */
export function barePicture(bytes: Uint8Array, container: Container, listParts: PartLister): BarePicture {
  const { format, exif } = container;
  // An AVIF is turned by properties of its own, which stay; readers do not look into its EXIF for that.
  if (format === 'avif') return { bytes: eraseAvif(bytes), removed: namesOf(container) };
  const kept: NewPart[] = [];
  const removed: string[] = [];
  for (const part of listParts(bytes, format)) {
    const { name, role, bare } = part;
    if (role !== 'colour' && role !== 'pixels') removed.push(name);
    else if (bare === undefined) kept.push({ part });
    else {
      kept.push({ part, data: bare });
      removed.push(`rests in ${name}`);
    }
  }
  const bare = joinParts(bytes, format, kept);
  // The profile may be gone with the rest.
  const turned = exifOfOrientation(exif, { ...container, hasIcc: readContainer(bare).hasIcc });
  return turned
    ? { bytes: spliceContainer(bare, { exif: turned }), removed, exif: turned }
    : { bytes: bare, removed };
}

function namesOf({ exif, xmp, hasC2pa }: Container): string[] {
  return [...(exif ? ['Exif'] : []), ...(xmp === undefined ? [] : ['XMP']), ...(hasC2pa ? ['C2PA'] : [])];
}
