import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { iccChunk, pngChunks, withChunks, withSegment } from '../../bridge/cli/pictures.ts';
import { webpChunk } from '../../formats/manifest-store.ts';
import { expectSamePixels, makeImage } from '../../formats/samples.ts';

const TEXT = Buffer.from('PLANTED where no reader of text looks');

/** The data of each chunk changed, with lengths and checks to match. */
function rewritten(bytes: Uint8Array, change: (type: string, data: Buffer) => Buffer): Buffer {
  const [, ...rest] = pngChunks(bytes);
  return withChunks(
    headOf(bytes),
    rest.map(({ type, data }) => ({ type, data: change(type, data) })),
  );
}

/** The signature and IHDR: 8 bytes, and 25. */
function headOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, 33);
}

async function expectGone(source: Uint8Array): Promise<Uint8Array> {
  expect(Buffer.from(source).includes(TEXT), 'nothing was planted').toBe(true);
  const { bytes } = stripPicture(source, 'public', () => {});
  expect(Buffer.from(bytes).includes('PLANTED')).toBe(false);
  await expectSamePixels(bytes, source);
  expect(Buffer.compare(stripPicture(bytes, 'public', () => {}).bytes, bytes)).toBe(0);
  return bytes;
}

describe('a PNG, public, has no text', () => {
  test.each(['IEND', 'IDAT'])('at the end of %s', async (wanted) => {
    const plain = await makeImage('png');
    await expectGone(
      rewritten(plain, (type, data) => (type === wanted ? Buffer.concat([data, TEXT]) : data)),
    );
  });

  test('in an IDAT behind the stream of the pixels', async () => {
    const plain = await makeImage('png');
    const [, ...chunks] = pngChunks(plain);
    const end = chunks.findIndex(({ type }) => type === 'IEND');
    const changed = chunks.toSpliced(end, 0, { type: 'IDAT', data: TEXT });
    await expectGone(withChunks(headOf(plain), changed));
  });

  test('in a tRNS longer than its colours', async () => {
    const plain = await makeImage('png');
    await expectGone(withChunks(plain, [{ type: 'tRNS', data: TEXT }]));
  });

  test('as the name of its profile, or behind that; the profile stays', async () => {
    const plain = await makeImage('png');
    const { icc } = await sharp(await sharp(plain).withIccProfile('p3').png().toBuffer()).metadata();
    const { data } = iccChunk(icc ?? TEXT);
    const packed = data.subarray(data.indexOf(0));
    for (const each of [Buffer.concat([TEXT, packed]), Buffer.concat([data, TEXT])]) {
      const bytes = await expectGone(withChunks(plain, [{ type: 'iCCP', data: each }]));
      const kept = pngChunks(bytes).find(({ type }) => type === 'iCCP');
      const profile = inflateSync(kept?.data.subarray(kept.data.indexOf(0) + 2) ?? TEXT);
      expect(profile.subarray(36, 40).toString()).toBe('acsp');
    }
  });
});

describe('a JPEG, public, has no text', () => {
  test('in an APP14 longer than its fields, which stay', async () => {
    const plain = await makeImage('jpeg');
    const adobe = Buffer.from('Adobe\0\x64\0\0\0\0\x01', 'latin1');
    const source = withSegment(plain, { marker: 0xee, data: Buffer.concat([adobe, TEXT]) });
    expect(Buffer.from(await expectGone(source)).includes(adobe)).toBe(true);
  });

  test('in what only bears the name of a profile', async () => {
    const plain = await makeImage('jpeg');
    const data = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), TEXT]);
    await expectGone(withSegment(plain, { marker: 0xe2, data }));
  });

  test('behind the tables of a DQT', async () => {
    const plain = Buffer.from(await makeImage('jpeg'));
    const at = plain.indexOf(Buffer.from('ffdb', 'hex'));
    const length = plain.readUInt16BE(at + 2);
    const end = at + 2 + length;
    const source = Buffer.concat([plain.subarray(0, end), TEXT, plain.subarray(end)]);
    source.writeUInt16BE(length + TEXT.length, at + 2);
    const { bytes } = stripPicture(source, 'public', () => {});
    expect(Buffer.compare(bytes, plain)).toBe(0);
  });
});

describe('a WebP, public, has no text', () => {
  const withBody = (...chunks: readonly Uint8Array[]): Buffer => {
    const body = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), ...chunks]);
    body.writeUInt32LE(body.length - 8, 4);
    return body;
  };
  const extended = Buffer.from('00000000' + '3f0000' + '2f0000', 'hex');

  test('in a VP8X longer than its fields', async () => {
    const plain = await makeImage('webp', { lossless: true, width: 64, height: 48 });
    const long = webpChunk('VP8X', Buffer.concat([extended, TEXT]));
    const { bytes } = stripPicture(withBody(long, plain.subarray(12)), 'public', () => {});
    expect(Buffer.compare(bytes, withBody(webpChunk('VP8X', extended), plain.subarray(12)))).toBe(0);
  });

  test.each(['VP8 ', 'VP8L', 'ALPH'])('in a %s behind the picture', async (type) => {
    const plain = await makeImage('webp', { lossless: true, width: 64, height: 48 });
    const chunks = [webpChunk('VP8X', extended), plain.subarray(12)];
    const { bytes } = stripPicture(withBody(...chunks, webpChunk(type, TEXT)), 'public', () => {});
    expect(Buffer.compare(bytes, withBody(...chunks))).toBe(0);
  });
});
