import { LineageError } from '../kit/errors.ts';
import type { ImageFormat } from '../kit/values.ts';
import { readAvif, spliceAvif } from './avif.ts';
import { detectImageFormat } from './detect.ts';
import { readJpeg, spliceJpeg } from './jpeg.ts';
import { type PngDamage, type PngText, readPng, splicePng } from './png.ts';
import { readWebp, spliceWebp } from './webp.ts';

/** What an image file carries beside its pixels, whatever its format. Byte blocks are views into the file. */
export type Container = {
  readonly format: ImageFormat;
  /** Pixels as stored, before any orientation. */
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  /** More than one frame: a decoder that takes one picture loses the others. */
  readonly isAnimated: boolean;
  /** A TIFF block without `Exif\0\0`. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  /** PNG only: text chunks in file order, duplicates included. */
  readonly texts: readonly PngText[];
  /** JPEG only: COM segments in file order. */
  readonly comments: readonly Uint8Array[];
  /** JPEG only: data of the segments with compressed graphs. */
  readonly packed: readonly Uint8Array[];
  readonly hasIcc: boolean;
  readonly hasC2pa: boolean;
  /** PNG only: text chunks that cannot be read. */
  readonly damaged: readonly PngDamage[];
};

/** What to change; absent stays as it is, null removes. */
export type ContainerChange = {
  readonly exif?: Uint8Array | null;
  readonly xmp?: string | null;
  /** PNG only, as are the next two. */
  readonly texts?: ReadonlyMap<string, string>;
  readonly itxt?: ReadonlyMap<string, string>;
  readonly removeKeywords?: readonly string[];
  /** JPEG only. */
  readonly comment?: Uint8Array | null;
  readonly packed?: readonly Uint8Array[] | null;
};

/**
 * Reads the metadata of any of the four formats.
 *
 * @throws LineageError `image/unknown-format`, and `png/malformed`, `jpeg/malformed`, `webp/malformed`, `avif/malformed`
 */
export function readContainer(bytes: Uint8Array): Container {
  const format = knownFormat(bytes);
  const none = { isAnimated: false, texts: [], comments: [], packed: [], damaged: [] };
  if (format === 'png') return { ...none, format, ...readPng(bytes) };
  if (format === 'jpeg') return { ...none, format, hasAlpha: false, ...readJpeg(bytes) };
  if (format === 'webp') return { ...none, format, ...readWebp(bytes) };
  return { ...none, format, ...readAvif(bytes) };
}

/**
 * Puts metadata into an encoded file without touching its pixels.
 *
 * @param bytes not modified, not retained.
 * @returns a new file of the same format; splicing the same change again gives the same bytes.
 * @throws LineageError `option/conflict` for a part that the format has no place for, `jpeg/segment-too-large`,
 *   `png/keyword`, `png/text`, and the codes of `readContainer`
 */
export function spliceContainer(bytes: Uint8Array, change: ContainerChange): Uint8Array {
  const format = knownFormat(bytes);
  const { texts, itxt, removeKeywords, comment, packed, ...common } = change;
  if (format === 'png') {
    refuse(format, { comment, packed });
    return splicePng(bytes, change);
  }
  refuse(format, { texts, itxt, removeKeywords });
  if (format === 'jpeg') return spliceJpeg(bytes, change);
  refuse(format, { comment, packed });
  return format === 'webp' ? spliceWebp(bytes, common) : spliceAvif(bytes, common);
}

function knownFormat(bytes: Uint8Array): ImageFormat {
  const format = detectImageFormat(bytes);
  if (format !== undefined) return format;
  throw new LineageError('image/unknown-format', 'expected a PNG, JPEG, WebP or AVIF file, got another', {
    byte: 0,
  });
}

/** A part that the format cannot hold must not vanish without a word. */
function refuse(format: ImageFormat, parts: Readonly<Record<string, unknown>>): void {
  for (const [name, part] of Object.entries(parts)) {
    if (part !== undefined && part !== null) {
      throw new LineageError('option/conflict', `expected no ${name} for ${format}, got some`);
    }
  }
}
