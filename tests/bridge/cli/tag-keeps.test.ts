import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import exifr from 'exifr';
import ExifReader from 'exifreader';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { MANIFEST_STORE } from '../../formats/manifest-store.ts';
import {
  cameraExif,
  exampleGraph,
  iccChunk,
  internationalChunk,
  jpegParts,
  pngChunks,
  pngTexts,
  putImage,
  putJson,
  textChunk,
  withChunks,
  withSegment,
  XMP_PACKET,
} from './pictures.ts';
import { EXAMPLES, newFolder, tag } from './run.ts';

const SDXL = join(EXAMPLES, 'sdxl-base-refiner.json');

/** The profile of sharp's own Display P3, as a file carries it. */
async function someProfile(): Promise<Buffer> {
  const raw = { width: 1, height: 1, channels: 3 } as const;
  const png = await sharp(Buffer.from([1, 2, 3]), { raw })
    .withIccProfile('p3')
    .png()
    .toBuffer();
  const { icc } = await sharp(png).metadata();
  return Buffer.from(icc!);
}

/** A PNG as a camera's raw developer writes it, with somebody's old generation texts. */
async function putPhotograph(folder: string): Promise<Buffer> {
  const plain = await putImage(folder, 'plain.png', 'png');
  const file = withChunks(plain, [
    iccChunk(await someProfile()),
    { type: 'eXIf', data: cameraExif() },
    { type: 'caBX', data: Buffer.from(MANIFEST_STORE) },
    internationalChunk('XML:com.adobe.xmp', XMP_PACKET),
    textChunk('parameters', 'an old prompt\nSteps: 1, Sampler: Euler, Seed: 1'),
    textChunk('prompt', '{"1": {"class_type": "Old", "inputs": {}}}'),
    textChunk('Title', 'Lake'),
  ]);
  writeFileSync(join(folder, 'a.png'), file);
  return file;
}

describe('a PNG that is tagged as PNG', () => {
  test('keeps profile, camera EXIF, XMP, other texts and the C2PA manifest', async () => {
    const folder = newFolder();
    const source = await putPhotograph(folder);
    const { warnings } = await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png');
    const written = readFileSync(join(folder, 'b.png'));
    const chunkOf = (bytes: Uint8Array, type: string): (string | undefined)[] =>
      pngChunks(bytes).flatMap((chunk) => (chunk.type === type ? [chunk.data.toString('hex')] : []));
    for (const type of ['iCCP', 'caBX']) expect(chunkOf(written, type)).toEqual(chunkOf(source, type));
    expect(pngTexts(written, 'Title')).toEqual(['Lake']);
    expect(warnings.map(({ code }) => code)).toContain('embed/c2pa');
    const read = (await exifr.parse(written, { xmp: true, mergeOutput: false })) as Record<string, object>;
    expect(read['ifd0']).toMatchObject({ Make: 'Lumen' });
    expect(read['exif']).toMatchObject({ ISO: 320 });
    expect(JSON.stringify(read['dc'])).toContain('a drawer');
  });

  test('has the old generation texts replaced, each by one', async () => {
    const folder = newFolder();
    await putPhotograph(folder);
    const { parameters } = await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png');
    const written = readFileSync(join(folder, 'b.png'));
    expect(pngTexts(written, 'parameters')).toEqual([parameters]);
    expect(pngTexts(written, 'prompt').map((text) => JSON.parse(text))).toEqual([exampleGraph()]);
    expect(written.includes('an old prompt')).toBe(false);
  });
});

describe('a PNG that becomes another format', () => {
  test.each(['jpg', 'webp', 'avif'])('%s carries profile, camera EXIF and XMP over', async (extension) => {
    const folder = newFolder();
    await putPhotograph(folder);
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', `b.${extension}`);
    const written = readFileSync(join(folder, `b.${extension}`));
    const { icc } = await sharp(written).metadata();
    expect(icc && Buffer.compare(icc, await someProfile())).toBe(0);
    const tags = ExifReader.load(written, { expanded: true });
    expect(tags.exif?.['Make']?.description).toBe('Lumen');
    expect(tags.exif?.['ISOSpeedRatings']?.value).toBe(320);
    expect(tags.xmp?.['source']?.description).toBe('a drawer');
  });
});

test('a JPEG keeps its profile, EXIF, XMP and thumbnails of others where its own texts are replaced', async () => {
  const folder = newFolder();
  const plain = await putImage(folder, 'plain.jpg', 'jpeg');
  const app13 = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), cameraExif()]);
  const xmp = Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP_PACKET}`, 'latin1');
  const icc = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), await someProfile()]);
  let file: Uint8Array = withSegment(plain, { marker: 0xed, data: app13 });
  for (const [marker, data] of [
    [0xe2, icc],
    [0xe1, xmp],
    [0xe1, exif],
  ] as const)
    file = withSegment(file, { marker, data });
  writeFileSync(join(folder, 'a.jpg'), file);

  await tag(folder, 'a.jpg', '--prompt', SDXL, '--out', 'b.jpg');
  const written = readFileSync(join(folder, 'b.jpg'));
  const { segments } = jpegParts(written);
  for (const [marker, data] of [
    [0xed, app13],
    [0xe2, icc],
  ] as const)
    expect(segments.filter((each) => each.marker === marker).map((each) => each.data.equals(data))).toEqual([
      true,
    ]);
  const tags = ExifReader.load(written, { expanded: true });
  expect(tags.exif?.['Make']?.description).toBe('Lumen');
  expect(tags.xmp?.['source']?.description).toBe('a drawer');
});

describe('a picture that only passes through', () => {
  const graph = {
    1: { class_type: 'LoadImage', inputs: { image: 'a.png' } },
    2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'copy' } },
  };
  const infotext =
    'a boat\nNegative prompt: people\nSteps: 12, Sampler: Euler a, Seed: 99, Size: 24x16, Custom: x';

  test.each(['b.png', 'b.jpg', 'b.webp', 'b.avif'])('keeps the text of its source in %s', async (out) => {
    const folder = newFolder();
    const plain = await putImage(folder, 'plain.png', 'png');
    writeFileSync(join(folder, 'a.png'), withChunks(plain, [textChunk('parameters', infotext)]));
    const told = await tag(folder, 'a.png', '--prompt', putJson(folder, 'graph.json', graph), '--out', out);
    expect(told.parameters).toBe(infotext);
    expect(told.warnings.map(({ code }) => code)).toContain('source/kept');
  });

  test('keeps the record of a source that has one', async () => {
    const folder = newFolder();
    await putImage(folder, 'plain.png', 'png');
    await tag(folder, 'plain.png', '--prompt', SDXL, '--out', 'a.png');
    await tag(folder, 'a.png', '--prompt', putJson(folder, 'graph.json', graph), '--out', 'b.png');
    const [before, after] = ['a.png', 'b.png'].map((name) => readFileSync(join(folder, name)));
    for (const keyword of ['lineage', 'parameters', 'prompt', 'workflow'])
      expect(pngTexts(after!, keyword), keyword).toEqual(pngTexts(before!, keyword));
  });
});
