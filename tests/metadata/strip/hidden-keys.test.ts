import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { stripPicture } from '../../../nodes/metadata/strip/strip-picture.ts';
import { textChunk, withChunks, withSegment } from '../../bridge/cli/pictures.ts';
import { expectSamePixels, makeImage } from '../../formats/samples.ts';

const KEY = 'sk-hiddenkey0123456789hiddenkey';
const KEYWORD_KEY = KEY.slice(0, 24);
const little = Buffer.from(KEY, 'utf16le');
const SPELLINGS = [Buffer.from(KEY), little, Buffer.from(little).swap16()];

/** A TIFF block of one directory: MakerNote (0x927c, undefined) in IFD0. */
function exifWithMakerNote(note: Buffer): Buffer {
  const block = Buffer.alloc(26);
  block.write('MM\0*', 0, 'latin1');
  block.writeUInt32BE(8, 4);
  block.writeUInt16BE(1, 8);
  block.writeUInt16BE(0x927c, 10);
  block.writeUInt16BE(7, 12);
  block.writeUInt32BE(note.length, 14);
  block.writeUInt32BE(26, 18);
  return Buffer.concat([block, note]);
}

async function expectClean(planted: Buffer): Promise<void> {
  expect(SPELLINGS.some((spelling) => planted.includes(spelling))).toBe(true);
  const { bytes } = stripPicture(planted, 'archive', () => {});
  for (const spelling of SPELLINGS) expect(Buffer.from(bytes).includes(spelling)).toBe(false);
  expect(Buffer.from(bytes).includes(KEYWORD_KEY)).toBe(false);
  await expectSamePixels(bytes, planted);
}

describe.each(SPELLINGS.map((key, at) => [['Latin-1', 'UTF-16LE', 'UTF-16BE'][at], key] as const))(
  'archive takes a key in %s out of',
  (_, key) => {
    test('bytes behind the end', async () => {
      for (const format of ['png', 'jpeg', 'webp', 'avif'] as const)
        await expectClean(Buffer.concat([await makeImage(format), Buffer.from('x'), key]));
    });

    test('an unknown PNG chunk, and EXIF of a maker', async () => {
      const png = await makeImage('png');
      await expectClean(withChunks(png, [{ type: 'prVt', data: key }]));
      await expectClean(withChunks(png, [{ type: 'eXIf', data: exifWithMakerNote(key) }]));
    });

    test.each([
      ['IPTC, behind a length that reads as a digit', 0xed, 'Photoshop 3.0\0\x1c\x02\x78\0' + '0'],
      ['extended XMP', 0xe1, 'http://ns.adobe.com/xmp/extension/\0'],
      ['a comment', 0xfe, ''],
    ])('JPEG: %s', async (_name, marker, head) => {
      const data = Buffer.concat([Buffer.from(head, 'latin1'), key]);
      await expectClean(withSegment(await makeImage('jpeg'), { marker, data }));
    });
  },
);

test('archive takes a key out of keywords', async () => {
  const png = await makeImage('png');
  const translated = Buffer.from(`Comment\0\0\0en\0${KEY}\0text`);
  await expectClean(withChunks(png, [textChunk(KEY, 'text')]));
  await expectClean(withChunks(png, [{ type: 'iTXt', data: translated }]));
});

test.each(['archive', 'client'] as const)(
  '%s is soon done with texts that inflate to much',
  async (profile) => {
    const zlib = deflateSync(Buffer.from('{"a":'.repeat(10_000_000)));
    const data = Buffer.concat([Buffer.from('prompt\0\0'), zlib]);
    const png = await makeImage('png');
    const planted = withChunks(
      png,
      Array.from({ length: 20 }, () => ({ type: 'zTXt', data })),
    );
    const { bytes, removed } = stripPicture(planted, profile, () => {});
    expect(removed).toContain('zTXt');
    expect(Buffer.compare(bytes, png)).toBe(0);
  },
  10_000,
);
