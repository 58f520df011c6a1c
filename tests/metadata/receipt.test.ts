import sharp, { type Exif } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ImageFormat } from '../../nodes/kit/values.ts';
import { READERS } from '../../nodes/metadata/readers/index.ts';
import type { ReaderId, ReaderView } from '../../nodes/metadata/readers/reader.ts';
import { type Meant, makeReceipt, type Receipt, rowOf } from '../../nodes/metadata/receipt.ts';
import { formatReceiptTable } from '../../nodes/metadata/receipt-table.ts';
import { jpeg, PLAIN, png, tag, userComment } from './reader-views.ts';

const FIELDS: ReadonlyMap<string, string> = new Map([
  ['Steps', '30'],
  ['Sampler', 'Euler a'],
  ['Schedule type', 'Karras'],
  ['CFG scale', '7'],
  ['Seed', '5'],
  ['Size', '832x1216'],
  ['Model hash', 'abcdef1234'],
  ['Model', 'foo'],
  ['Clip skip', '2'],
  ['Version', 'ComfyUI'],
]);
const MEANT: Meant = {
  positive: 'a fox in the snow',
  negative: 'blurry',
  fields: FIELDS,
  prompt: false,
  workflow: false,
};
const GRAPHS = { prompt: '{"3":{"class_type":"KSampler"}}', workflow: '{"nodes":[]}' };

const receiptOf = (view: ReaderView, meant: Meant = MEANT): Receipt =>
  READERS.map((reader) => rowOf(reader, view, meant));
const row = (id: ReaderId, view: ReaderView, meant: Meant = MEANT) =>
  receiptOf(view, meant).find((one) => one.reader === id);
const lost = (id: ReaderId, view: ReaderView, meant: Meant = MEANT) =>
  row(id, view, meant)?.loses.map((loss) => loss.what);

/** A small picture with EXIF, encoded by libvips and libexif. */
function picture(format: ImageFormat, exif: Exif): Promise<Uint8Array> {
  const red = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
  return red.toFormat(format).withExif(exif).toBuffer();
}

/** The text that stands for these prompts and this seed. */
function written(positive: string, negative = 'blurry', seed = '5'): { view: ReaderView; meant: Meant } {
  const parameters = PLAIN.replace('a fox in the snow', positive)
    .replace('blurry', negative)
    .replace('Seed: 5', `Seed: ${seed}`);
  return {
    view: png({ parameters }),
    meant: { ...MEANT, positive, negative, fields: new Map([...FIELDS, ['Seed', seed]]) },
  };
}

describe('receipt', () => {
  it('is all green for a plain text in a PNG, but for what the front end does with A1111 names', () => {
    const losses = receiptOf(png({ parameters: PLAIN })).map(({ reader, loses }) => [
      reader,
      loses.map(({ what }) => what),
    ]);
    expect(Object.fromEntries(losses)).toEqual({
      civitai: [],
      a1111: [],
      'sd-prompt-reader': [],
      comfyui: ['Sampler', 'Schedule type'],
      'sd-metadata': [],
      'image-metahub': [],
    });
  });

  it('names what Civitai gives up for the text: the graph', () => {
    const view = png({ parameters: PLAIN, ...GRAPHS });
    const meant = { ...MEANT, prompt: true, workflow: true };
    expect(lost('civitai', view, meant)).toEqual(['prompt graph', 'workflow']);
    expect(lost('comfyui', view, meant)).toEqual([]);
    expect(lost('sd-metadata', view, meant)).toEqual([]);
    expect(row('comfyui', view, meant)?.sees).toEqual(['prompt graph', 'workflow']);
  });

  it.each<[string, ReaderId, string, string]>([
    ['blank lines', 'civitai', 'one\n\ntwo', 'blank lines'],
    ['"Negative prompt:" inside a line', 'civitai', 'one Negative prompt: two', 'wherever'],
    [
      '"Negative prompt:" at the start of a line',
      'sd-prompt-reader',
      'one\nNegative prompt: two',
      'first line',
    ],
    ['"Negative prompt:" at the start of a line', 'a1111', 'one\nNegative prompt: two', 'first line'],
    ['spaces at the end of a line', 'a1111', 'one  \ntwo', 'strips'],
    ['"Steps:" in a line', 'sd-metadata', 'Steps: of stone', 'first "Steps:"'],
  ])('gives the reason for %s: %s', (_, id, positive, reason) => {
    const { view, meant } = written(positive);
    expect(row(id, view, meant)?.loses.map(({ why }) => why)).toContainEqual(expect.stringContaining(reason));
  });

  it('says that a guarded line shows its space', () => {
    const { view, meant } = written('one\n Steps: two');
    const loses = row('civitai', view, { ...meant, positive: 'one\nSteps: two' })?.loses;
    expect(loses).toMatchObject([{ what: 'positive', why: expect.stringContaining('a space before it') }]);
    expect(row('a1111', view, { ...meant, positive: 'one\nSteps: two' })?.loses).toEqual([]);
  });

  it('tells which readers round a seed', () => {
    const { view, meant } = written('x', 'y', '12345678901234567890');
    const rounding = receiptOf(view, meant).filter(({ loses }) => loses.some(({ what }) => what === 'Seed'));
    expect(rounding.map(({ reader }) => reader)).toEqual([
      'civitai',
      'comfyui',
      'sd-metadata',
      'image-metahub',
    ]);
    expect(rounding[0]?.loses).toMatchObject([
      { what: 'Seed', why: expect.stringContaining('9007199254740992') },
    ]);
  });

  it('tells that the front end opens no JPEG and sd-prompt-reader no WebP with alpha', () => {
    const meant = { ...MEANT, prompt: true, workflow: true };
    const comment = userComment(PLAIN, 'be');
    const ifd0Ascii = [tag(0x010e, `prompt:${GRAPHS.prompt}`), tag(0x010f, `workflow:${GRAPHS.workflow}`)];
    expect(row('comfyui', jpeg({ userComment: comment, ifd0Ascii }), meant)).toMatchObject({
      sees: [],
      loses: [{ what: 'everything', why: expect.stringContaining('JPEG') }],
    });
    const webp = jpeg({ format: 'webp', hasAlpha: true, userComment: comment, ifd0Ascii });
    expect(row('sd-prompt-reader', webp, meant)).toMatchObject({
      sees: [],
      loses: [{ why: expect.stringContaining('alpha') }],
    });
    expect(lost('comfyui', webp, meant)).toEqual([]);
  });

  it('lists keys that a reader does not keep', () => {
    const fields = new Map([...FIELDS, ['My Resources', 'x'], ['denoise', '0.5']]);
    const view = png({ parameters: PLAIN.replace('Version', 'denoise: 0.5, My Resources: x, Version') });
    expect(lost('civitai', view, { ...MEANT, fields })).toEqual(['Version, My Resources, denoise']);
    expect(lost('a1111', view, { ...MEANT, fields })).toEqual([]);
  });

  it('compares hashes entry by entry', () => {
    const hashes = '{"model":"abcdef1234","lora:x":"1111111111"}';
    const fields = new Map([...FIELDS, ['Hashes', hashes]]);
    const view = png({ parameters: PLAIN.replace('Version', `Hashes: ${hashes}, Version`) });
    expect(lost('civitai', view, { ...MEANT, fields })).toEqual([]);
    expect(lost('civitai', png({ parameters: PLAIN }), { ...MEANT, fields })).toEqual(['Hashes']);
    const other = png({
      parameters: PLAIN.replace('Version', `Hashes: ${hashes.replace('1111', '2222')}, Version`),
    });
    expect(lost('civitai', other, { ...MEANT, fields })).toEqual(['Hashes']);
  });

  it('takes equal numbers for the same, however they are spelled', () => {
    const fields = new Map([...FIELDS, ['CFG scale', '7.0']]);
    const view = png({ parameters: PLAIN.replace('CFG scale: 7', 'CFG scale: 7.0') });
    for (const { reader, loses } of receiptOf(view, { ...MEANT, fields })) {
      expect([reader, loses.filter(({ what }) => what === 'CFG scale')]).toEqual([reader, []]);
    }
  });

  it.each<[ImageFormat, readonly ReaderId[]]>([
    ['jpeg', ['civitai', 'a1111', 'sd-prompt-reader', 'image-metahub']],
    ['webp', ['civitai', 'a1111', 'sd-prompt-reader']],
    ['avif', ['civitai', 'a1111']],
    ['png', ['civitai', 'a1111']],
  ])('opens %s files whose EXIF libexif wrote, little-endian and in ASCII', async (format, green) => {
    const even = `${PLAIN} `; // sd-prompt-reader wants an even number of bytes
    const file = await picture(format, {
      IFD0: { ImageDescription: `prompt:${GRAPHS.prompt}` },
      IFD2: { UserComment: even },
    });
    const receipt = makeReceipt(file, MEANT);
    const textReaders = receipt.filter(
      ({ sees, loses }) => loses.length === 0 && !sees.includes('prompt graph'),
    );
    expect(textReaders.map(({ reader }) => reader)).toEqual(green);
    // The graph is found in ImageDescription, by those that look there.
    const graphReaders = receipt
      .filter(({ sees }) => sees.includes('prompt graph'))
      .map(({ reader }) => reader);
    const front = format === 'webp' || format === 'avif' ? ['comfyui'] : [];
    expect(graphReaders).toEqual(format === 'jpeg' || format === 'webp' ? [...front, 'sd-metadata'] : front);
  });

  it('opens PNG files that sharp wrote with EXIF, and refuses what is no picture', async () => {
    const file = await picture('png', { IFD0: { Model: 'prompt:{}' } });
    const row = makeReceipt(file, MEANT).find(({ reader }) => reader === 'sd-prompt-reader');
    expect(row).toMatchObject({ sees: [], loses: [{ why: expect.stringContaining('crashes') }] });
    expect(() => makeReceipt(Buffer.from('nothing'), MEANT)).toThrow(
      expect.objectContaining({ code: 'image/unknown-format' }),
    );
  });
});

describe('receipt table', () => {
  it('fits 110 columns, keeps every word and marks each reader', () => {
    const { view, meant } = written('one\n\ntwo Negative prompt: 三', 'no', '12345678901234567890');
    const receipt = receiptOf(view, meant);
    const table = formatReceiptTable(receipt);
    for (const line of table.split('\n')) expect([...line].length).toBeLessThanOrEqual(110);
    for (const reader of READERS) expect(table).toContain(reader.name);
    expect(table.split('\n')[0]).toBe(`  reader${' '.repeat(12)}sees${' '.repeat(35)}loses`);
    expect(table).toMatch(/^~ Civitai/m);
    expect(table).not.toMatch(/\s$/m);
  });

  it('marks a reader that sees nothing and one that loses nothing', () => {
    const table = formatReceiptTable(receiptOf(jpeg({ userComment: userComment(PLAIN, 'be') })));
    expect(table).toMatch(/^✓ A1111 \/ Forge/m);
    expect(table).toMatch(/^✗ ComfyUI front end?/m);
  });

  it('breaks words that are wider than their column', () => {
    const loses = [{ what: 'x'.repeat(200), why: '狐'.repeat(100) }];
    const lines = formatReceiptTable([{ reader: 'a1111', sees: [], loses }]).split('\n');
    const wide = (line: string) => [...line].reduce((sum, char) => sum + (char === '狐' ? 2 : 1), 0);
    for (const line of lines) expect(wide(line)).toBeLessThanOrEqual(110);
    expect(lines.join('').match(/狐/g)).toHaveLength(100);
  });
});
