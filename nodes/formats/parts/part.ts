/**
 * What a part of a picture's file is there for. `pixels`: the picture and the frame of its file; `colour`: profile and
 * colour space; `text`, `exif` and `xmp`: metadata; `c2pa`: a signature; `other`: whatever else somebody put there.
 */
export type PartRole = 'pixels' | 'colour' | 'text' | 'exif' | 'xmp' | 'c2pa' | 'other';

/** A chunk, a segment, or bytes that are neither. All parts of a file cover it without a gap, in its order. */
export type Part = {
  /** The type of the chunk, the name of the segment, or words for bytes outside of both. */
  readonly name: string;
  /** Of a segment of a JPEG, the marker that it begins with. */
  readonly marker?: number;
  readonly role: PartRole;
  /** The part with its head is [start, end) of the file. */
  readonly start: number;
  readonly end: number;
  /** What is in it: a view into the file. */
  readonly data: Uint8Array;
  /** The data that decoders make use of, where the part holds more or other than these. */
  readonly bare?: Uint8Array;
  /**
   * Coded samples, or tables of a profile, that are not followed to their end: what decoders pass over in them or behind
   * them cannot be told from them.
   */
  readonly isUnread?: true;
};

/** A part of a file to come: with data of its own where these differ from the part's. */
export type NewPart = { readonly part: Part; readonly data?: Uint8Array };

/** What somebody put behind the end of the picture. */
export const BEHIND_THE_END = 'bytes behind the end';
