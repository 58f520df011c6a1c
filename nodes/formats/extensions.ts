import type { ImageFormat } from '../kit/values.ts';

/** How files of a format are named, in lower case; the usual one first. */
export const EXTENSIONS: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ['.png', '.apng'],
  jpeg: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  webp: ['.webp'],
  avif: ['.avif'],
};

const FORMATS: ReadonlyMap<string, ImageFormat> = new Map([
  ...EXTENSIONS.png.map((extension) => [extension, 'png'] as const),
  ...EXTENSIONS.jpeg.map((extension) => [extension, 'jpeg'] as const),
  ...EXTENSIONS.webp.map((extension) => [extension, 'webp'] as const),
  ...EXTENSIONS.avif.map((extension) => [extension, 'avif'] as const),
]);

/** The format that a name says, by its extension in any case; undefined for another. */
export function formatOfName(name: string): ImageFormat | undefined {
  return FORMATS.get(/\.[^./\\]+$/.exec(name)?.[0].toLowerCase() ?? '');
}
