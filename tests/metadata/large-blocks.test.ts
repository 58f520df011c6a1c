import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { readExif, writeExif } from '../../nodes/formats/exif.ts';
import { setXmpProperty } from '../../nodes/formats/xmp.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { makeImage, withFile } from '../formats/samples.ts';
import { exiftool, findingsOf } from '../peers.ts';

const TITLE = { namespace: 'http://purl.org/dc/elements/1.1/', prefix: 'dc', name: 'format' };
const WHY = 'a JPEG segment holds 65,535 bytes';
const request = {
  parameters: {
    positive: 'a heron',
    negative: '',
    details: [{ key: 'Steps', value: '5' } as const],
    hashes: new Map<string, string>(),
  },
  prompt: '{"1":{}}',
  record: '{"version":1}',
  maxExifBytes: 61_440,
};
const artist = (chars: number): Uint8Array =>
  writeExif({ ascii: new Map([[0x13b, 'a'.repeat(chars)]]), width: 13, height: 9 });
const quiet = (): void => {};

/** A block with one long text and nothing of what the standard demands: II, IFD0 of one entry, the text at 26. */
function bareBlock(chars: number): Uint8Array {
  const head = Buffer.from('49492a00080000000100' + '3b010200' + '00000000' + '1a000000' + '00000000', 'hex');
  head.writeUInt32LE(chars + 1, 14);
  return new Uint8Array(Buffer.concat([head, Buffer.alloc(chars, 'a'), Buffer.alloc(1)]));
}

describe('blocks that no JPEG segment holds', () => {
  test.each(['png', 'webp'] as const)('EXIF of a %s is left out, told, and makes room', async (format) => {
    const source = spliceContainer(await makeImage(format), { exif: artist(100_000) });
    const carriedFrom = readContainer(source);
    const out = embedMetadata(await makeImage('jpeg'), { ...request, carriedFrom }, quiet);
    expect(out.dropped).toEqual([{ what: 'EXIF of the picture', why: WHY }]);
    expect(out.stage).toBe('full');
    const exif = readContainer(out.bytes).exif;
    expect(exif && readExif(exif).userComment?.text).toContain('Steps: 5');
  });

  test.each(['png', 'webp'] as const)('XMP of a %s is left out and told', async (format) => {
    const xmp = setXmpProperty(undefined, TITLE, 'x'.repeat(100_000));
    const carriedFrom = readContainer(spliceContainer(await makeImage(format), { xmp }));
    const out = embedMetadata(await makeImage('jpeg'), { ...request, carriedFrom }, quiet);
    expect(out.dropped).toEqual([{ what: 'XMP of the picture', why: WHY }]);
    expect(readContainer(out.bytes).xmp).toContain('lineage:record');
  });

  test('a long block that is ours alone is no loss', async () => {
    const ours = writeExif({ ascii: new Map([[0x10e, `prompt:${'x'.repeat(100_000)}`]]) });
    const carriedFrom = readContainer(spliceContainer(await makeImage('webp'), { exif: ours }));
    const out = embedMetadata(await makeImage('jpeg'), { ...request, carriedFrom }, quiet);
    expect([out.stage, out.dropped]).toEqual(['full', []]);
  });
});

test('a JPEG that a block nearly fills keeps it byte for byte and gets a comment', async () => {
  const exif = bareBlock(65_480);
  const jpeg = spliceContainer(await makeImage('jpeg'), { exif });
  const out = embedMetadata(jpeg, request, quiet);
  expect(out.stage).toBe('com-marker');
  expect(Buffer.from(readContainer(out.bytes).exif ?? []).equals(exif)).toBe(true);
  expect(Buffer.from(embedMetadata(out.bytes, request, quiet).bytes).equals(out.bytes)).toBe(true);
});

test.skipIf(!exiftool.available)('a block that loses our text says the sides of the picture', async () => {
  const base = writeExif({ ascii: new Map([[0x10e, 'prompt:{}']]), base: bareBlock(61_300) });
  const jpeg = spliceContainer(await makeImage('jpeg'), { exif: base });
  const { bytes, stage } = embedMetadata(jpeg, request, quiet);
  expect(stage).toBe('com-marker');
  expect(await withFile(bytes, 'jpg', findingsOf)).toBe('');
});
