import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IMAGE_FORMATS, type ImageFormat } from '../../../nodes/kit/values.ts';
import { recordSchema } from '../../../nodes/metadata/record.ts';
import { expectSamePixels } from '../../formats/samples.ts';
import {
  dataOf,
  exampleGraph,
  jpegParts,
  pngTexts,
  putImage,
  putJson,
  textChunk,
  withChunks,
} from './pictures.ts';
import { EXAMPLES, expectFailure, lineage, listOf, newFolder, tag } from './run.ts';

const SDXL = join(EXAMPLES, 'sdxl-base-refiner.json');
const WAN = join(EXAMPLES, 'wan22-two-stage.json');

const read = (folder: string, name: string): Buffer => readFileSync(join(folder, name));

describe('the format', () => {
  /** The signatures of the formats' specifications. */
  const SIGNATURES: Readonly<Record<ImageFormat, RegExp>> = {
    png: /^\x89PNG\r\n\x1a\n/,
    jpeg: /^\xff\xd8\xff/,
    webp: /^RIFF[\s\S]{4}WEBP/,
    avif: /^[\s\S]{4}ftypavif/,
  };

  test.each([
    ['b.png', 'png'],
    ['b.jpg', 'jpeg'],
    ['b.JPEG', 'jpeg'],
    ['b.webp', 'webp'],
    ['b.avif', 'avif'],
  ] as const)('%s is %s by its extension', async (out, format) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    expect((await tag(folder, 'a.png', '--prompt', SDXL, '--out', out)).out).toBe(out);
    expect(read(folder, out).toString('latin1')).toMatch(SIGNATURES[format]);
    expect(listOf(folder)).toEqual(['a.png', out].sort());
  });

  test('--format speaks where the extension says nothing', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.part', '--format', 'webp');
    expect(read(folder, 'b.part').toString('latin1')).toMatch(SIGNATURES.webp);
  });

  test.each([
    [['--out', 'b.png', '--format', 'jpeg'], 'option/conflict', /--format jpeg and \.png/],
    [['--out', 'b.gif'], 'option/invalid', /b\.gif/],
    [['--out', 'b'], 'option/invalid', /got b$/],
    [['--out', 'b.png', '--format', 'gif'], 'option/invalid', /gif/],
  ] as const)('%j is a usage error', async (args, code, says) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await expectFailure(folder, ['tag', 'a.png', '--prompt', SDXL, ...args], { status: 2, code, says });
  });
});

describe('pixels', () => {
  test.each(IMAGE_FORMATS)('%s to the same format is spliced', async (format) => {
    const folder = newFolder();
    const source = await putImage(folder, `a.${format}`, format);
    await tag(folder, `a.${format}`, '--prompt', SDXL, '--out', `b.${format}`);
    const written = read(folder, `b.${format}`);
    await expectSamePixels(written, source);
    const coded = codedPixels(source, format);
    expect(coded.length).toBeGreaterThan(20);
    expect(written.includes(coded)).toBe(true);
  });

  test.each(['jpeg', 'webp', 'avif'] as const)('png to %s is encoded anew', async (format) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const low = await tag(folder, 'a.png', '--prompt', SDXL, '--out', `low.${format}`, '--quality', '10');
    expect(low.parameters).toContain('Size: 24x16');
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', `high.${format}`, '--quality', '100');
    expect(read(folder, `low.${format}`).length).toBeLessThan(read(folder, `high.${format}`).length);
  });

  test('webp to png keeps every sample', async () => {
    const folder = newFolder();
    const source = await putImage(folder, 'a.webp', 'webp');
    await tag(folder, 'a.webp', '--prompt', SDXL, '--out', 'b.png');
    await expectSamePixels(read(folder, 'b.png'), source);
  });

  /** The compressed samples of a file, as they stand in it. */
  function codedPixels(bytes: Uint8Array, format: ImageFormat): Buffer {
    const file = Buffer.from(bytes);
    if (format === 'png') return dataOf(bytes, 'IDAT');
    if (format === 'jpeg') return jpegParts(bytes).scan;
    const at = file.indexOf(format === 'webp' ? 'VP8' : 'mdat');
    const length = format === 'webp' ? file.readUInt32LE(at + 4) : file.readUInt32BE(at - 4) - 8;
    const start = format === 'webp' ? at + 8 : at + 4;
    return file.subarray(start, start + length);
  }
});

describe('an existing file', () => {
  test('is not touched without --force, and replaced with it', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    writeFileSync(join(folder, 'b.png'), 'mine');
    const args = ['a.png', '--prompt', SDXL, '--out', 'b.png'];
    await expectFailure(folder, ['tag', ...args], { status: 1, code: 'output/exists' });
    expect(read(folder, 'b.png').toString()).toBe('mine');
    await tag(folder, ...args, '--force');
    expect(pngTexts(read(folder, 'b.png'), 'parameters')).toHaveLength(1);
    expect(listOf(folder)).toEqual(['a.png', 'b.png']);
  });

  test('as a sidecar stops the picture too', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    writeFileSync(join(folder, 'b.png.lineage.json'), 'mine');
    const args = ['tag', 'a.png', '--prompt', SDXL, '--out', 'b.png', '--sidecar'];
    await expectFailure(folder, args, { status: 1, code: 'output/exists' });
    expect(read(folder, 'b.png.lineage.json').toString()).toBe('mine');
  });

  test('may be the picture itself, with --force', async () => {
    const folder = newFolder();
    const source = await putImage(folder, 'a.png', 'png');
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'a.png', '--force');
    await expectSamePixels(read(folder, 'a.png'), source);
  });
});

describe('the graph', () => {
  test('of --prompt wins over the embedded one, and --workflow over the one beside it', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await tag(folder, 'a.png', '--prompt', WAN, '--out', 'wan.png');
    expect((await tag(folder, 'wan.png', '--out', 'same.png')).primary).toBe('57');

    const workflow = putJson(folder, 'flow.json', { nodes: [], links: [], version: 0.4, mine: true });
    const replaced = await tag(folder, 'wan.png', '--prompt', SDXL, '--out', 'b.png');
    expect(replaced.primary).toBe('10');
    await tag(folder, 'wan.png', '--prompt', SDXL, '--workflow', workflow, '--out', 'c.png');

    const textsOf = (name: string, keyword: string): string[] => pngTexts(read(folder, name), keyword);
    const { workflow: sdxlWorkflow } = JSON.parse(readFileSync(SDXL, 'utf8')) as { workflow: unknown };
    expect(textsOf('b.png', 'workflow').map((text) => JSON.parse(text))).toEqual([sdxlWorkflow]);
    expect(textsOf('c.png', 'workflow').map((text) => JSON.parse(text))).toEqual([
      { nodes: [], links: [], version: 0.4, mine: true },
    ]);
    for (const name of ['b.png', 'c.png'])
      expect(textsOf(name, 'prompt').map((text) => JSON.parse(text))).toEqual([exampleGraph()]);
  });

  test('is missed by name where the picture has none, or only a workflow', async () => {
    const folder = newFolder();
    const plain = await putImage(folder, 'a.png', 'png');
    await expectFailure(folder, ['tag', 'a.png', '--out', 'b.png'], {
      status: 1,
      code: 'graph/malformed',
      says: /embeds its prompt graph, got none/,
    });
    const workflow = JSON.stringify({ nodes: [], links: [] });
    writeFileSync(join(folder, 'w.png'), withChunks(plain, [textChunk('workflow', workflow)]));
    await expectFailure(folder, ['tag', 'w.png', '--out', 'b.png'], {
      status: 1,
      code: 'graph/malformed',
      says: /only a workflow in the editor format/,
    });
  });
});

describe('what is written', () => {
  test.each(IMAGE_FORMATS)('tagging a tagged %s again gives the same bytes', async (format) => {
    const folder = newFolder();
    await putImage(folder, `a.${format}`, format);
    await tag(folder, `a.${format}`, '--prompt', SDXL, '--out', `b.${format}`);
    await tag(folder, `b.${format}`, '--out', `c.${format}`);
    expect(read(folder, `c.${format}`).equals(read(folder, `b.${format}`))).toBe(true);
  });

  test('--extra keys stand behind ours, in order of the alphabet', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const extras = ['--extra', 'Zone=north', '--extra', 'Artist=A. Painter=me'];
    const { parameters } = await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png', ...extras);
    expect(parameters).toMatch(/, Artist: A\. Painter=me, Zone: north, Version: ComfyUI, /);
    expect(pngTexts(read(folder, 'b.png'), 'parameters')).toEqual([parameters]);
  });

  test.each(['Seed=1', 'seed=1', 'no equals sign', '=value'])('--extra %j is refused', async (extra) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await expectFailure(folder, ['tag', 'a.png', '--prompt', SDXL, '--out', 'b.png', '--extra', extra], {
      status: 2,
      code: 'option/invalid',
    });
  });

  test('--sidecar holds the record that is in the picture', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png', '--sidecar');
    const sidecar = read(folder, 'b.png.lineage.json').toString();
    expect(pngTexts(read(folder, 'b.png'), 'lineage')).toEqual([sidecar.trimEnd()]);
    expect(recordSchema.parse(JSON.parse(sidecar)).samplers.map(({ nodeId }) => nodeId)).toEqual([
      '10',
      '11',
    ]);
    expect(listOf(folder)).toEqual(['a.png', 'b.png', 'b.png.lineage.json']);
  });

  test('--receipt says what each reader sees', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const { receipt } = await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png', '--receipt');
    expect(receipt?.map(({ reader }) => reader)).toContain('civitai');
    for (const { sees } of receipt ?? []) expect(sees.length).toBeGreaterThan(0);
    const { stdout } = await lineage(folder, ['tag', 'b.png', '--out', 'c.png', '--receipt']);
    expect(stdout).toMatch(/^c\.png: \d+ bytes, stage full\n/);
    expect(stdout).toMatch(/^✓ A1111/m);
  });
});

describe('--max-exif-kb', () => {
  const kib = 1024;
  /** Bytes of the APP1 segments (EXIF, XMP) and of the comments, markers included. */
  function segmentSizes(bytes: Uint8Array): number[] {
    const { segments } = jpegParts(bytes);
    return segments
      .filter(({ marker }) => marker === 0xe1 || marker === 0xfe)
      .map(({ data }) => data.length + 4);
  }

  test.each([
    ['64', 'full', /Samplers: .*, Samplers detail: "[^"]*"$/],
    ['8', 'reduced-exif', /Samplers: Euler \(0-3\) \| Euler \(4-7\), Metadata Fallback: reduced-exif$/],
    ['4', 'minimal', /, Version: ComfyUI, Metadata Fallback: minimal$/],
  ] as const)('%s writes the stage %s', async (budget, stage, end) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const told = await tag(folder, 'a.png', '--prompt', WAN, '--out', 'b.jpg', '--max-exif-kb', budget);
    expect(told.stage).toBe(stage);
    expect(told.parameters).toMatch(end);
    // The last words of a prompt that the smallest budget cuts; its settings line is whole.
    const isCut = stage === 'minimal';
    expect(told.parameters.includes('The camera does not move.')).toBe(!isCut);
    expect(
      told.dropped.some(({ what, why }) => what === 'positive prompt' && /^cut to \d+ of/.test(why)),
    ).toBe(isCut);
    expect(told.parameters).toMatch(
      /\nSteps: 8, Sampler: Euler, Schedule type: Simple, CFG scale: 1.0, Seed: \d+, /,
    );
    for (const size of segmentSizes(read(folder, 'b.jpg')))
      expect(size).toBeLessThanOrEqual(Math.min(65_535, Number(budget) * kib));
    expect(told.dropped.length > 0).toBe(stage !== 'full');
    expect(told.warnings.map(({ code }) => code).includes('embed/dropped')).toBe(stage !== 'full');
  });

  test('a long negative prompt gives way before the positive one', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const graph = exampleGraph();
    graph['7']!.inputs['text'] = 'blurry, grey, '.repeat(400).trim();
    const prompt = putJson(folder, 'graph.json', graph);
    const told = await tag(folder, 'a.png', '--prompt', prompt, '--out', 'b.jpg', '--max-exif-kb', '4');
    expect(told.stage).toBe('minimal');
    expect(told.parameters).toMatch(/^layered hills .*, film grain\nNegative prompt: blurry, grey, /);
    expect(told.parameters).toMatch(/\nSteps: 30, .*Metadata Fallback: minimal$/);
    expect(told.dropped.map(({ what }) => what)).toContain('negative prompt');
    expect(Math.max(...segmentSizes(read(folder, 'b.jpg')))).toBeLessThanOrEqual(4 * kib);
  });

  test('tells for each reader of JPEGs that the prompt was cut', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const options = ['--out', 'b.jpg', '--max-exif-kb', '4', '--receipt'];
    const { receipt = [] } = await tag(folder, 'a.png', '--prompt', WAN, ...options);
    const readers = receipt.filter(({ reader }) => reader !== 'comfyui');
    expect(readers).toHaveLength(5);
    for (const { reader, sees, loses } of readers) {
      expect(sees, reader).toContain('Steps 8');
      expect(loses, reader).toContainEqual({
        what: 'positive',
        why: 'the budget left it out of the file, or cut it',
      });
    }
  });

  test('tells in the receipt what the budget took and what a reader drops', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const options = ['--out', 'b.jpg', '--max-exif-kb', '8', '--receipt'];
    const { receipt } = await tag(folder, 'a.png', '--prompt', WAN, ...options);
    const a1111 = receipt?.find(({ reader }) => reader === 'a1111');
    expect(a1111?.loses).toEqual([{ what: 'Samplers detail', why: expect.stringContaining('budget') }]);
    const civitai = receipt?.find(({ reader }) => reader === 'civitai');
    expect(civitai?.loses).toContainEqual({ what: 'positive', why: expect.stringContaining('blank lines') });
  });

  test.each(['3', '65', '4.5'])('%s is a usage error', async (budget) => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const args = ['tag', 'a.png', '--prompt', SDXL, '--out', 'b.jpg', '--max-exif-kb', budget];
    await expectFailure(folder, args, { status: 2, code: 'option/invalid' });
  });
});

describe('--models', () => {
  test('hashes what it finds and warns of what it misses', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    const header = Buffer.from('{"w":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}   ');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const model = Buffer.concat([length, header, Buffer.from('model')]);
    const lora = Buffer.from('not a safetensors file, but a file');
    for (const [path, bytes] of [
      ['one/checkpoints/sd_xl_base_1.0.safetensors', model],
      ['two/loras/moved/dusk_landscape_xl.safetensors', lora],
    ] as const) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

    const models = ['--models', 'one', '--models', 'two'];
    const told = await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'b.png', ...models);
    const resources = new Map(told.resources.map((resource) => [resource.name, resource]));
    expect(resources.get('sd_xl_base_1.0.safetensors')).toMatchObject({
      found: true,
      bytes: model.length,
      sha256: sha256(model),
      autoV2: sha256(model).slice(0, 10),
      // The hash of what follows the header.
      autoV3: sha256(Buffer.from('model')).slice(0, 12),
    });
    expect(resources.get('dusk_landscape_xl.safetensors')).toMatchObject({ sha256: sha256(lora) });
    expect(resources.get('sd_xl_refiner_1.0.safetensors')).toEqual({
      kind: 'model',
      name: 'sd_xl_refiner_1.0.safetensors',
      found: false,
    });
    const missing = told.warnings.filter(({ code }) => code === 'resource/missing');
    expect(missing.map(({ message }) => message).sort()).toEqual([
      'model sd_xl_refiner_1.0.safetensors',
      'vae sdxl_vae.safetensors',
    ]);
    expect(told.parameters).toContain(`Model hash: ${sha256(model).slice(0, 10)}, Model: sd_xl_base_1.0`);
    expect(told.parameters).toContain(`Lora hashes: "dusk_landscape_xl: ${sha256(lora).slice(0, 10)}"`);
    expect(told.parameters).not.toMatch(/None|N\/A|null/);
  });
});
