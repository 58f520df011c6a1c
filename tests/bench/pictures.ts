import sharp, { type Sharp } from 'sharp';
import { IMAGE_FORMATS, type ImageFormat } from '../../nodes/kit/values.ts';

/** Noise: no encoder makes it small, so 2600 pixels a side are a file of about 20 MB. */
const SIDE = 2_600;

/** Files of about 20 MB, the same bytes each time. */
export async function makeLargePictures(): Promise<ReadonlyMap<ImageFormat, Uint8Array>> {
  const data = makeNoise(SIDE * SIDE * 3);
  const noise = (): Sharp => sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } });
  const encode: Readonly<Record<ImageFormat, () => Promise<Buffer>>> = {
    png: () => noise().png({ compressionLevel: 0 }).toBuffer(),
    jpeg: () => noise().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    webp: () => noise().webp({ lossless: true, effort: 0 }).toBuffer(),
    // Encoding 20 MB of AVIF takes minutes; a small picture in a large media box is as long to copy.
    avif: async () => growMediaBox(await noise().resize(64).avif({ effort: 0 }).toBuffer(), data.length),
  };
  const files = new Map<ImageFormat, Uint8Array>();
  for (const format of IMAGE_FORMATS) files.set(format, new Uint8Array(await encode[format]()));
  return files;
}

/** The picture that a decoder of others sees. */
export async function decode(file: Uint8Array): Promise<Buffer> {
  return sharp(file, { limitInputPixels: false }).raw().toBuffer();
}

/** What tagging costs whoever decodes and encodes again. */
export async function reencode(file: Uint8Array, format: ImageFormat, comment: string): Promise<Buffer> {
  const cheap = {
    png: { compressionLevel: 0 },
    jpeg: { quality: 100 },
    webp: { effort: 0 },
    avif: { effort: 0 },
  };
  return sharp(file)
    .withExif({ IFD0: { ImageDescription: comment } })
    .toFormat(format, cheap[format])
    .toBuffer();
}

function makeNoise(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003): a linear congruence has patterns that lossless encoders find.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Appends bytes to the last box, which sharp makes `mdat` (ISO/IEC 14496-12, 8.1.1); offsets into it stay right. */
function growMediaBox(file: Buffer, length: number): Buffer {
  const at = file.lastIndexOf('mdat') - 4;
  const size = file.readUInt32BE(at);
  if (at + size !== file.length) throw new Error('expected mdat as the last box');
  const grown = Buffer.concat([file, Buffer.alloc(length)]);
  grown.writeUInt32BE(size + length, at);
  return grown;
}
