import type { Container } from '../formats/container.ts';
import { chooseWorkflowTags, holdsOurs, readExif, removeOurExif } from '../formats/exif.ts';
import { isInfotext } from '../formats/is-infotext.ts';
import { exifSegmentBytes, MAX_SEGMENT_BYTES, xmpSegmentBytes } from '../formats/jpeg.ts';
import { setXmpProperty } from '../formats/xmp.ts';
import { isLineageError } from '../kit/errors.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { OWN_KEYWORDS, RECORD_XMP } from './record-places.ts';
import type { Dropped } from './stages.ts';

/** What of the picture's own EXIF and XMP is to be kept. */
export type Kept = {
  readonly width: number;
  readonly height: number;
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly hasIcc: boolean;
};

/** The blocks to build on. One that is damaged is replaced, and that is said. */
export function keepOwnBlocks(own: Container, carriedFrom: Container | undefined, warn: WarningSink): Kept {
  const { width, height, hasIcc } = own;
  const exif = own.exif ?? carriedFrom?.exif;
  const xmp = own.xmp ?? carriedFrom?.xmp;
  const usable = (check: () => unknown, what: 'exif' | 'xmp'): boolean => {
    try {
      check();
      return true;
    } catch (error) {
      if (!isLineageError(error, `${what}/malformed`)) throw error;
      warn('embed/replaced', `${what.toUpperCase()}: ${error.message}`, own.format);
      return false;
    }
  };
  return {
    width,
    height,
    hasIcc,
    ...(exif && usable(() => readExif(exif), 'exif') && { exif }),
    ...(xmp !== undefined && usable(() => setXmpProperty(xmp, RECORD_XMP, null), 'xmp') && { xmp }),
  };
}

/** The picture's own EXIF. A block with nothing of ours in it stays as it is, byte for byte. */
export function withoutOurs({ exif, width, height }: Kept): Uint8Array | undefined {
  return exif && holdsOurs(exif) ? removeOurExif(exif, { width, height }) : exif;
}

/** Other formats hold blocks of any length: what is too long for a segment of a JPEG is left out, and that is told. */
export function fitSegments(kept: Kept): { readonly kept: Kept; readonly dropped: readonly Dropped[] } {
  const { exif, xmp, ...others } = kept;
  const ownExif = withoutOurs(kept);
  const hasRoom = {
    exif: ownExif === undefined || exifSegmentBytes(ownExif) <= MAX_SEGMENT_BYTES,
    xmp: xmp === undefined || xmpSegmentBytes(setXmpProperty(xmp, RECORD_XMP, null)) <= MAX_SEGMENT_BYTES,
  };
  const why = 'a JPEG segment holds 65,535 bytes';
  return {
    kept: {
      ...others,
      ...(exif && hasRoom.exif && { exif }),
      ...(xmp !== undefined && hasRoom.xmp && { xmp }),
    },
    dropped: [
      ...(hasRoom.exif ? [] : [{ what: 'EXIF of the picture', why }]),
      ...(hasRoom.xmp ? [] : [{ what: 'XMP of the picture', why }]),
    ],
  };
}

/** A camera that uses every tag we could take leaves no place for the graph. */
export function withoutTag(
  { format }: Container,
  { exif }: Kept,
  { prompt, workflow }: { readonly prompt?: string; readonly workflow?: string },
): Dropped[] {
  if (format === 'png' || exif === undefined) return [];
  const tags = chooseWorkflowTags(exif);
  const why = "the picture's own EXIF uses every tag that readers look in";
  return [
    ...(prompt !== undefined && tags.prompt === undefined ? [{ what: 'prompt', why }] : []),
    ...(workflow !== undefined && tags.workflow === undefined ? [{ what: 'workflow', why }] : []),
  ];
}

/** What a picture that was encoded anew had and the new file does not. */
export function leftBehind(source: Container | undefined): Dropped[] {
  if (!source) return [];
  const why = `the picture was encoded anew from ${source.format}`;
  const foreign = source.texts.filter(
    ({ keyword }) => !OWN_KEYWORDS.has(keyword) && !keyword.startsWith('XML:'),
  );
  return [
    ...[...new Set(foreign.map(({ keyword }) => keyword))].map((keyword) => ({
      what: `text "${keyword}"`,
      why,
    })),
    ...source.comments
      .filter((bytes) => !isInfotext(new TextDecoder().decode(bytes)))
      .map(() => ({ what: 'JPEG comment', why })),
    ...(source.hasC2pa ? [{ what: 'C2PA manifest', why }] : []),
    ...(source.isAnimated ? [{ what: 'all frames but the first', why }] : []),
  ];
}
