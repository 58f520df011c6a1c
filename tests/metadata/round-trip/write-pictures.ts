import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePixels } from '../../../nodes/formats/pixels.ts';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import { cases, type Picture, SIDE, variants, write } from './cases.ts';

/** Every text in every format and stage, as files of a folder. Each format is encoded once; the metadata is spliced in. */
export async function writePictures(folder: string): Promise<readonly Picture[]> {
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7) % 256);
  const pixels = { width: SIDE, height: SIDE, channels: 3, data } as const;
  const encoded = new Map<ImageFormat, Uint8Array>();
  const pictures: Picture[] = [];
  for (const one of cases) {
    for (const variant of variants) {
      const { format, extension } = variant;
      const options = { format, quality: 80, lossless: false };
      const bare = encoded.get(format) ?? (await encodePixels(pixels, options));
      encoded.set(format, bare);
      const file = join(folder, `${pictures.length}.${extension}`);
      const picture = await write(one, variant, bare, file);
      writeFileSync(file, picture.embedded.bytes);
      pictures.push(picture);
    }
  }
  return pictures;
}
