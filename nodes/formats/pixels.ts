import sharp, { type Sharp } from 'sharp';
import { LineageError } from '../kit/errors.ts';
import type { ImageFormat, Pixels } from '../kit/values.ts';
import { startsWith } from './cursor.ts';
import { PNG_SIGNATURE } from './detect.ts';
import { encodePng } from './encode-png.ts';
import { truncateSamples } from './truncate-samples.ts';

/**
 * The one file that decodes and encodes pixels: samples become PNG by an encoder of our own, everything else is sharp's.
 * It writes no metadata but a colour profile: that is what the containers' splices are for.
 */

/** How to encode. */
export type EncodeOptions = {
  readonly format: ImageFormat;
  /** 1 to 100, for JPEG and for lossy WebP and AVIF. */
  readonly quality: number;
  /** For WebP and AVIF; PNG always is, JPEG never. */
  readonly lossless?: boolean;
  /** Leaves the alpha channel out and shows the colours that it hid, as Pillow's `convert('RGB')` does. */
  readonly dropAlpha?: boolean;
};

const MAX_SIDE = 16_384;
/** @see https://developers.google.com/speed/webp/docs/riff_container (14-bit sides) */
const MAX_WEBP_SIDE = 16_383;
/** @see https://www.w3.org/TR/png-3/#11IHDR (behind signature, length, type, sides and depth) */
const PNG_COLOUR_TYPE = 25;
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
  if (options.format === 'png' && !options.dropAlpha) return await encodePng(pixels);
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
  const kept = keepsProfile ? image.keepIccProfile() : image;
  return await run(encoder(options.dropAlpha ? kept.removeAlpha() : kept, options));
}

/**
 * The sides of a picture by its header; nothing is decoded. Ask before decoding what a stranger sent.
 *
 * @throws LineageError `image/undecodable`
 */
export async function measureImage(bytes: Uint8Array): Promise<{ width: number; height: number }> {
  const { width, height } = await read(() => sharp(bytes, { limitInputPixels: false }).metadata());
  return { width, height };
}

/**
 * A PNG with the colours of one picture and the alpha channel of another, which is opaque where that has none. Samples
 * are taken as they are stored, 8 bits of them; colour profiles and orientations are not applied and not kept.
 *
 * @param colours bytes of a picture, or black for none: then the alpha alone.
 * @throws LineageError `image/undecodable`; `image/shape` where the two are of different sizes
 */
export async function joinAlpha(colours: Uint8Array | 'black', alphaOf: Uint8Array): Promise<Uint8Array> {
  const plain = { ignoreIcc: true };
  const masked = sharp(alphaOf, plain).toColourspace('srgb').ensureAlpha().extractChannel('alpha');
  const alpha = await read(() => masked.raw().toBuffer({ resolveWithObject: true }));
  const { width, height } = alpha.info;
  const create = { width, height, channels: 3 as const, background: '#000000' };
  const picture = colours === 'black' ? sharp({ create }) : sharp(colours, plain);
  const opaque = picture.toColourspace('srgb').removeAlpha();
  const rgb = await read(() => opaque.raw().toBuffer({ resolveWithObject: true }));
  if (rgb.info.width !== width || rgb.info.height !== height) {
    const got = `${width}x${height}`;
    throw new LineageError('image/shape', `expected ${rgb.info.width}x${rgb.info.height}, got ${got}`);
  }
  const raw = (channels: 1 | 3) => ({ raw: { width, height, channels } });
  const joined = sharp(rgb.data, raw(3)).joinChannel(alpha.data, raw(1));
  return await run(encoder(joined, { format: 'png', quality: 100 }));
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
 * Decodes a picture as it is meant to be seen: turned upright by its EXIF orientation, every frame of an animated GIF
 * or WebP (of an animated PNG the first: libvips knows no APNG). The colour profile is not applied, as in Pillow.
 *
 * @param bytes not modified, not retained.
 * @returns 8-bit frames of one shape, RGB or RGBA; views of one buffer that is the caller's. RGBA where the picture
 *   has an alpha channel or a palette with transparent colours. Of 16 bits the upper 8 are kept.
 * @param transparentColour whether one transparent colour of a PNG without palette (`tRNS`) makes an alpha channel
 *   too. ComfyUI 618b803d nodes.py: not for LoadImage, but for LoadImageMask.
 * @throws LineageError `image/undecodable`, also for more than 268 million pixels (sharp's limit)
 */
export async function decodeFrames(bytes: Uint8Array, transparentColour = false): Promise<readonly Pixels[]> {
  const still = await read(() => sharp(bytes, { ignoreIcc: true }).metadata());
  const isAnimated = (still.pages ?? 1) > 1 && (still.format === 'gif' || still.format === 'webp');
  // libvips turns no animations.
  const image = isAnimated
    ? sharp(bytes, { ignoreIcc: true, pages: -1 })
    : sharp(bytes, { ignoreIcc: true }).autoOrient();
  const opaque = !transparentColour && hasNoAlphaChannel(bytes) ? image.removeAlpha() : image;
  const { data, info } = await read(() =>
    opaque.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true }),
  );
  const { width, channels } = info;
  if (channels !== 3 && channels !== 4) {
    throw new LineageError('image/undecodable', `expected 3 or 4 channels, got ${channels}`);
  }
  const frames = isAnimated ? (info.pages ?? still.pages ?? 1) : 1;
  const height = info.height / frames;
  const frameBytes = width * height * channels;
  return Array.from({ length: frames }, (_, frame) => ({
    width,
    height,
    channels,
    data: asBytes(data).subarray(frame * frameBytes, (frame + 1) * frameBytes),
  }));
}

/** Grey (0) or RGB (2) by the colour type of the IHDR chunk: such a PNG has no alpha channel. */
function hasNoAlphaChannel(bytes: Uint8Array): boolean {
  const isPng = startsWith(bytes, PNG_SIGNATURE);
  return isPng && (bytes[PNG_COLOUR_TYPE] === 0 || bytes[PNG_COLOUR_TYPE] === 2);
}

/** PNG: sharp's defaults make files three quarters larger. WebP and AVIF: the efforts that a saver can wait for. */
function encoder(image: Sharp, options: EncodeOptions): Sharp {
  const { format, quality, lossless = false, dropAlpha = false } = options;
  if (format === 'png') return image.png({ compressionLevel: 4, adaptiveFiltering: true });
  if (format === 'jpeg') return (dropAlpha ? image : image.flatten({ background: PAPER })).jpeg({ quality });
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
