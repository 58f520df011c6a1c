import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { decodeFrames, decodePixels, encodePixels, reencodeImage } from '../../nodes/formats/pixels.ts';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { hex, makeImage } from './samples.ts';

const quality = 90;

/** A PNG by hand: IHDR data and filtered rows. */
function pngOf(header: Buffer, rows: Buffer): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('encodePixels', () => {
  test.each(IMAGE_FORMATS)(
    '%s: the same pixels give the same bytes, which are of that format',
    async (format) => {
      const [once, twice] = [await makeImage(format), await makeImage(format)];
      expect(hex(once)).toBe(hex(twice));
      expect(detectImageFormat(once)).toBe(format);
    },
  );

  test.each([
    ['png', 1],
    ['png', 3],
    ['png', 4],
    ['webp', 3],
    ['webp', 4],
    ['avif', 3],
    ['avif', 4],
  ] as const)('lossless %s with %d channels gives the samples back', async (format, channels) => {
    const data = new Uint8Array(5 * 4 * channels).map((_, i) => (i * 13) % 256);
    // WebP and AVIF forget the colour of a fully transparent sample; no alpha here is 0.
    const samples = channels === 4 ? data.map((value, i) => (i % 4 === 3 ? value | 1 : value)) : data;
    const back = await decodePixels(
      await encodePixels(
        { width: 5, height: 4, channels, data: samples },
        { format, quality, lossless: true },
      ),
    );
    expect({ ...back, data: hex(back.data as Uint8Array) }).toEqual({
      width: 5,
      height: 4,
      channels,
      data: hex(samples),
    });
  });

  test('floats are cut off as numpy does it', async () => {
    // By numpy 2: np.clip(255. * np.float32(x), 0, 255).astype(np.uint8)
    const floats = [-0.5, 0, 0.5, 0.9999, 1, 7, Number.NaN, 1 / 255, 3 / 255, 55 / 255, 254.99 / 255, 0.1];
    const expected = [0, 0, 127, 254, 255, 255, 0, 1, 3, 55, 254, 25];
    const png = await encodePixels(
      { width: 4, height: 1, channels: 3, data: Float32Array.from(floats) },
      { format: 'png', quality },
    );
    expect([...(await decodePixels(png)).data]).toEqual(expected);
  });

  test('JPEG lays transparency on white', async () => {
    const jpeg = await encodePixels(
      { width: 1, height: 1, channels: 4, data: Uint8Array.of(0, 0, 0, 0) },
      { format: 'jpeg', quality: 100 },
    );
    expect([...(await decodePixels(jpeg)).data]).toEqual([255, 255, 255]);
  });

  test.each([
    ['too few samples', { width: 2, height: 2, channels: 3, data: new Uint8Array(11) }, 'png'],
    ['no width', { width: 0, height: 2, channels: 3, data: new Uint8Array(0) }, 'png'],
    ['half a pixel', { width: 1.5, height: 2, channels: 3, data: new Uint8Array(9) }, 'png'],
    [
      'a side that WebP cannot hold',
      { width: 16_384, height: 1, channels: 1, data: new Uint8Array(16_384) },
      'webp',
    ],
  ] as const)('refuses %s', async (_, pixels, format) => {
    await expect(encodePixels(pixels, { format, quality })).rejects.toMatchObject({ code: 'image/shape' });
  });
});

describe('reencodeImage', () => {
  test('keeps alpha, the profile and the turn of the pixels, and carries no other metadata', async () => {
    const source = await sharp(await makeImage('png', { channels: 4 }))
      .withIccProfile('p3')
      .withExif({ IFD0: { Make: 'x', Orientation: '6' } })
      .png()
      .toBuffer();
    for (const format of ['webp', 'avif'] as const) {
      const metadata = await sharp(await reencodeImage(source, { format, quality })).metadata();
      expect([
        metadata.width,
        metadata.height,
        metadata.hasAlpha,
        metadata.icc !== undefined,
        metadata.exif,
      ]).toEqual([13, 9, true, true, undefined]);
    }
    const jpeg = await sharp(await reencodeImage(source, { format: 'jpeg', quality })).metadata();
    expect([jpeg.width, jpeg.hasAlpha, jpeg.icc !== undefined, jpeg.exif, jpeg.orientation]).toEqual([
      13,
      false,
      true,
      undefined,
      undefined,
    ]);
  });

  test('CMYK becomes RGB without its profile', async () => {
    const cmyk = await sharp(await makeImage('png'))
      .toColourspace('cmyk')
      .withIccProfile('cmyk')
      .jpeg()
      .toBuffer();
    const metadata = await sharp(await reencodeImage(cmyk, { format: 'png', quality })).metadata();
    expect([metadata.space, metadata.icc]).toEqual(['srgb', undefined]);
  });

  test('what is no picture is undecodable, with the cause', async () => {
    const bytes = Buffer.from('not a picture');
    await expect(reencodeImage(bytes, { format: 'png', quality })).rejects.toMatchObject({
      code: 'image/undecodable',
      cause: expect.any(Error),
    });
    await expect(decodePixels((await makeImage('png')).subarray(0, 60))).rejects.toMatchObject({
      code: 'image/undecodable',
    });
  });
});

test('decodePixels: grey with alpha becomes RGBA, 16 bits become 8', async () => {
  // A PNG of colour type 4 (grey, alpha), filter 0, by hand.
  const greyAlpha = pngOf(
    Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 8, 4, 0, 0, 0]),
    Buffer.from([0, 7, 128, 9, 255]),
  );
  expect(await decodePixels(greyAlpha)).toMatchObject({
    channels: 4,
    data: Uint8Array.of(7, 7, 7, 128, 9, 9, 9, 255),
  });
  const deep = await sharp(Buffer.from([7, 8, 9]), { raw: { width: 1, height: 1, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  expect(await decodePixels(deep)).toMatchObject({ channels: 3, data: Uint8Array.of(7, 8, 9) });
});

describe('decodeFrames', () => {
  const red = { r: 255, g: 0, b: 0 };

  test('every frame of an animated GIF, of one shape, as views of one buffer', async () => {
    const frames = [red, { r: 0, g: 0, b: 255 }].map((background) =>
      sharp({ create: { width: 6, height: 4, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const gif = await sharp(await Promise.all(frames), { join: { animated: true } })
      .gif()
      .toBuffer();
    const decoded = await decodeFrames(gif);
    expect(decoded.map(({ width, height }) => [width, height])).toEqual([
      [6, 4],
      [6, 4],
    ]);
    expect(decoded.map(({ data }) => [data[0], data[2]])).toEqual([
      [255, 0],
      [0, 255],
    ]);
    expect(new Set(decoded.map(({ data }) => data.buffer)).size).toBe(1);
  });

  test('grey becomes RGB, and the EXIF orientation turns', async () => {
    const turned = await sharp({ create: { width: 6, height: 4, channels: 3, background: red } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await decodeFrames(turned)).toMatchObject([{ width: 4, height: 6, channels: 3 }]);
    const grey = await encodePixels(
      { width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 200) },
      { format: 'png', quality },
    );
    const [rgb] = await decodeFrames(grey);
    expect([...(rgb?.data ?? [])]).toEqual([7, 7, 7, 200, 200, 200]);
  });

  test('what is no picture is refused', async () => {
    await expect(decodeFrames(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'image/undecodable' });
  });
});
