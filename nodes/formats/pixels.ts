import sharp, { type Sharp } from 'sharp';
import { LineageError } from '../kit/errors.ts';
import type { ImageFormat, Pixels } from '../kit/values.ts';

/**
 * The one file that decodes and encodes pixels, by sharp. It writes no metadata but a colour profile: that is what
 * the containers' splices are for.
 */

/** How to encode. */
export type EncodeOptions = {
  readonly format: ImageFormat;
  /** 1 to 100, for JPEG and for lossy WebP and AVIF. */
  readonly quality: number;
  /** For WebP and AVIF; PNG always is, JPEG never. */
  readonly lossless?: boolean;
};

const MAX_SIDE = 16_384;
/** @see https://developers.google.com/speed/webp/docs/riff_container (14-bit sides) */
const MAX_WEBP_SIDE = 16_383;
/** What shows through where JPEG cannot hold transparency. */
const PAPER = '#ffffff';

/**
 * Encodes samples.
 *
 * @param pixels not modified, not retained. JPEG lays transparent pictures on white.
 * @returns a complete file; the same pixels give the same bytes.
 * @throws LineageError `image/shape`
 */
export async function encodePixels(pixels: Pixels, options: EncodeOptions): Promise<Uint8Array> {
  checkShape(pixels, options.format);
  const { width, height, channels } = pixels;
  const samples = pixels.data instanceof Uint8Array ? pixels.data : truncateSamples(pixels.data);
  const image = sharp(samples, { raw: { width, height, channels } });
  return await run(encoder(channels === 1 ? image.toColourspace('b-w') : image, options));
}

/**
 * Encodes a picture in another format. Pixels are neither turned nor converted: the EXIF orientation and the colour
 * profile that are carried along keep their meaning. A profile that the target's colours cannot mean (CMYK, grey in
 * WebP and AVIF) is applied instead of kept. Only the first frame of an animation is taken.
 *
 * @param bytes a picture in any of the formats; not modified, not retained.
 * @throws LineageError `image/undecodable`, `image/shape`
 */
export async function reencodeImage(bytes: Uint8Array, options: EncodeOptions): Promise<Uint8Array> {
  const image = sharp(bytes);
  const { space, width, height } = await read(() => image.metadata());
  checkSides(width, height, options.format);
  const holdsGrey = options.format === 'png' || options.format === 'jpeg';
  const keepsProfile =
    space === 'srgb' || space === 'rgb' || space === 'rgb16' || (space === 'b-w' && holdsGrey);
  return await run(encoder(keepsProfile ? image.keepIccProfile() : image, options));
}

/**
 * Decodes a picture to 8-bit samples as they are stored: profile not applied, orientation not applied.
 *
 * @param bytes not modified, not retained.
 * @throws LineageError `image/undecodable`
 */
export async function decodePixels(bytes: Uint8Array): Promise<Pixels> {
  const image = sharp(bytes, { ignoreIcc: true });
  const { space, hasAlpha } = await read(() => image.metadata());
  // sharp drops the alpha of greys, so those become colours.
  const decoded = space === 'b-w' && !hasAlpha ? image.toColourspace('b-w') : image.toColourspace('srgb');
  const { data, info } = await read(() => decoded.raw().toBuffer({ resolveWithObject: true }));
  if (info.channels === 2) throw new LineageError('image/undecodable', 'expected 1, 3 or 4 channels, got 2');
  return { width: info.width, height: info.height, channels: info.channels, data: asBytes(data) };
}

/**
 * Floats of 0 to 1 as bytes, as ComfyUI's `np.clip(255. * image, 0, 255).astype(np.uint8)` makes them: the fraction
 * is cut off, NaN becomes 0. numpy multiplies in single precision, which changes no result (checked at every step).
 */
function truncateSamples(samples: Float32Array): Uint8Array {
  const out = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = 255 * (samples[i] ?? 0);
    out[i] = Math.min(255, Math.max(0, value));
  }
  return out;
}

/** PNG: sharp's defaults make files three quarters larger. WebP and AVIF: the efforts that a saver can wait for. */
function encoder(image: Sharp, { format, quality, lossless = false }: EncodeOptions): Sharp {
  if (format === 'png') return image.png({ compressionLevel: 4, adaptiveFiltering: true });
  if (format === 'jpeg') return image.flatten({ background: PAPER }).jpeg({ quality });
  if (format === 'webp') return image.webp({ quality, lossless, effort: lossless ? 0 : 2 });
  return image.avif({ quality, lossless, effort: 2, chromaSubsampling: lossless ? '4:4:4' : '4:2:0' });
}

async function run(image: Sharp): Promise<Uint8Array> {
  return asBytes(await read(() => image.toBuffer()));
}

/** The bytes without the Buffer class around them. */
function asBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Whatever sharp throws is about the picture: shapes were checked before. */
async function read<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause);
    throw new LineageError('image/undecodable', `expected a picture, got: ${reason}`, {}, { cause });
  }
}

function checkShape({ width, height, channels, data }: Pixels, format: ImageFormat): void {
  checkSides(width, height, format);
  const expected = width * height * channels;
  if (![1, 3, 4].includes(channels) || data.length !== expected) {
    throw new LineageError(
      'image/shape',
      `expected ${expected} samples for ${width}x${height}x${channels}, got ${data.length}`,
    );
  }
}

function checkSides(width: number, height: number, format: ImageFormat): void {
  const limit = format === 'webp' ? MAX_WEBP_SIDE : MAX_SIDE;
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > limit) {
      throw new LineageError(
        'image/shape',
        `expected sides of 1 to ${limit} for ${format}, got ${width}x${height}`,
      );
    }
  }
}
