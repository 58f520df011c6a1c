import { IMAGE_FORMATS, type ImageFormat } from '../kit/values.ts';

/** How files of a format are named, in lower case; the usual one first. */
export const EXTENSIONS: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ['.png', '.apng'],
  jpeg: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  webp: ['.webp'],
  avif: ['.avif'],
};

const FORMATS: ReadonlyMap<string, ImageFormat> = new Map(
  IMAGE_FORMATS.flatMap((format) => EXTENSIONS[format].map((extension) => [extension, format] as const)),
);

/** The format that a name says, by its extension in any case; undefined for another. */
export function formatOfName(name: string): ImageFormat | undefined {
  return FORMATS.get(/\.[^./\\]+$/.exec(name)?.[0].toLowerCase() ?? '');
}
