import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { IMAGE_FORMATS } from '../../../nodes/kit/values.ts';
import { documentSchema } from '../../../nodes/metadata/record.ts';
import { exampleGraph, pngChunks, putImage, putJson, textChunk, withChunks } from './pictures.ts';
import { documentOf, EXAMPLES, expectFailure, lineage, newFolder, tag } from './run.ts';

const SDXL = join(EXAMPLES, 'sdxl-base-refiner.json');
const FLUX = join(EXAMPLES, 'flux-custom-sampling.json');

describe('the document', () => {
  test.each(['sdxl-base-refiner', 'flux-custom-sampling', 'wan22-two-stage', 'qwen-in-subgraph'])(
    'of %s is what both schemas say',
    async (name) => {
      const ended = await lineage(newFolder(), ['trace', join(EXAMPLES, `${name}.json`), '--json']);
      expect(ended).toMatchObject({ status: 0, stderr: '' });
      const document = documentOf(ended);
      expect(documentSchema.parse(document)).toMatchObject({ stage: 'full', unknown: [], dangling: [] });
      const published = JSON.parse(
        readFileSync(new URL('../../../nodes/metadata/document.schema.gen.json', import.meta.url), 'utf8'),
      ) as Parameters<typeof z.fromJSONSchema>[0];
      expect(z.fromJSONSchema(published).safeParse(document).error).toBeUndefined();
      const told = published as { required: string[]; properties: Record<string, unknown> };
      expect(Object.keys(document)).toEqual(expect.arrayContaining(told.required));
      expect(Object.keys(told.properties)).toEqual(expect.arrayContaining(Object.keys(document)));
    },
  );

  test.each(['document', 'record'])('schema %s prints the published file', async (which) => {
    const ended = await lineage(newFolder(), ['schema', which, '--json']);
    const file = new URL(`../../../nodes/metadata/${which}.schema.gen.json`, import.meta.url);
    expect(documentOf(ended)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  test('spells a 64-bit seed and 8.0 as the graph does', async () => {
    const { stdout } = await lineage(newFolder(), ['trace', FLUX, '--json']);
    expect(stdout).toContain('"field":"SEED","value":17364925080427183911,');
    const sdxl = await lineage(newFolder(), ['trace', SDXL, '--json']);
    expect(sdxl.stdout).toContain('"field":"CFG","value":6.0,');
    expect(sdxl.stdout).toContain('Seed: 721897303308196,');
  });

  test('lists samplers with inclusive ends, the primary one first', async () => {
    const document = documentOf(await lineage(newFolder(), ['trace', SDXL, '--json']));
    expect(document).toMatchObject({
      primary: '10',
      saveNode: '19',
      samplers: [
        { nodeId: '10', tier: 'A', steps: 30, startStep: 0, endStep: 23, rangeLen: 24, isSegment: true },
        { nodeId: '11', tier: 'A', steps: 30, startStep: 24, endStep: 29, rangeLen: 6, isSegment: true },
      ],
    });
    expect(
      documentOf(await lineage(newFolder(), ['trace', SDXL, '--sampler', '11', '--json'])),
    ).toMatchObject({
      primary: '11',
    });
  });
});

describe('the saving node', () => {
  const graph = {
    ...exampleGraph(),
    40: { class_type: 'PreviewImage', inputs: { images: ['17', 0] } },
  };

  test('is the only one; a preview does not count', async () => {
    const folder = newFolder();
    const ended = await lineage(folder, ['trace', putJson(folder, 'graph.json', graph), '--json']);
    expect(documentOf(ended)['saveNode']).toBe('19');
  });

  test('must be named where there are several, and the error lists them', async () => {
    const folder = newFolder();
    const two = { ...graph, 30: { class_type: 'SaveAnimatedWEBP', inputs: { images: ['17', 0] } } };
    const file = putJson(folder, 'graph.json', two);
    await expectFailure(folder, ['trace', file], {
      status: 1,
      code: 'graph/several-save-nodes',
      says: /19 \(SaveImage\), 30 \(SaveAnimatedWEBP\)/,
    });
    const ended = await lineage(folder, ['trace', file, '--node', '30', '--json']);
    expect(documentOf(ended)['saveNode']).toBe('30');
  });
});

describe('explain', () => {
  test('gives each field with its way, from a graph and from a tagged picture alike', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await lineage(folder, ['tag', 'a.png', '--prompt', SDXL, '--out', 'b.webp']);
    for (const file of [SDXL, 'b.webp']) {
      const { status, stdout } = await lineage(folder, ['explain', file]);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Sampler 10, the primary one \(10 > 11 > 17 > 19\)$/m);
      expect(stdout).toMatch(
        /^ {2}MODEL_NAME +sd_xl_base_1\.0\.safetensors +4 CheckpointLoaderSimple\.ckpt_name > 20 > 10$/m,
      );
      expect(stdout).toMatch(/^ {2}SEED +721897303308196 +10 KSamplerAdvanced\.noise_seed$/m);
      expect(stdout).toMatch(/^ {2}Negative prompt: text, watermark, people$/m);
    }
  });

  test('keeps the spelling of numbers, and answers for a named sampler', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await tag(folder, 'a.png', '--prompt', FLUX, '--out', 'flux.jpg');
    expect((await lineage(folder, ['explain', 'flux.jpg'])).stdout).toMatch(
      /SEED +17364925080427183911 +25 RandomNoise\.noise_seed > 13$/m,
    );
    expect((await lineage(folder, ['explain', 'flux.jpg', '--json'])).stdout).toContain(
      '"value":17364925080427183911,',
    );
    await tag(folder, 'a.png', '--prompt', SDXL, '--out', 'sdxl.jpg');
    const asked = await lineage(folder, ['explain', 'sdxl.jpg', '--sampler', '11']);
    expect(asked.stdout).toMatch(/^Sampler 11, the primary one/m);
    expect(asked.stdout).toMatch(/^ {2}CFG +6\.0 /m);
  });

  test("traces anew where the keyword holds somebody else's text", async () => {
    const folder = newFolder();
    const picture = await putImage(folder, 'a.png', 'png');
    const prompt = textChunk('prompt', JSON.stringify(exampleGraph()));
    writeFileSync(join(folder, 'a.png'), withChunks(picture, [textChunk('lineage', '{not ours'), prompt]));
    const { status, stdout } = await lineage(folder, ['explain', 'a.png']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Sampler 10, the primary one/m);
  });

  test('says so where there is nothing to explain', async () => {
    const folder = newFolder();
    await putImage(folder, 'a.png', 'png');
    await expectFailure(folder, ['explain', 'a.png'], { status: 1, code: 'graph/malformed' });
  });
});

describe('inspect', () => {
  test.each(IMAGE_FORMATS)('shows what a tagged %s carries, by two readers', async (format) => {
    const folder = newFolder();
    await putImage(folder, `a.${format}`, format);
    await lineage(folder, ['tag', `a.${format}`, '--prompt', SDXL, '--out', `b.${format}`]);
    const document = documentOf(await lineage(folder, ['inspect', `b.${format}`, '--json'])) as {
      ours: Record<string, string>;
      independent: { reader: string; found: object };
    };
    expect(document.ours).toMatchObject({ format, width: 24, height: 16 });
    for (const key of ['parameters', 'prompt', 'workflow', 'record']) expect(document.ours[key]).toBeTruthy();
    expect(document.independent.reader).toBe(format === 'webp' || format === 'avif' ? 'exifreader' : 'exifr');
    expect(JSON.stringify(document.independent.found)).toContain('layered hills at dusk');
    const { status, stdout } = await lineage(folder, ['inspect', `b.${format}`]);
    expect(status).toBe(0);
    expect(stdout).toContain('Lineage reads\n');
  });
});

describe('hostile input', () => {
  test.each(['tag', 'inspect', 'explain'])(
    '%s names the file that is empty, a folder or cut',
    async (command) => {
      const folder = newFolder();
      const out = command === 'tag' ? ['--out', 'b.png'] : [];
      writeFileSync(join(folder, 'empty.png'), '');
      mkdirSync(join(folder, 'folder.png'));
      const whole = await putImage(folder, 'a.png', 'png');
      writeFileSync(join(folder, 'cut.png'), whole.subarray(0, whole.length - 20));
      const emptyCode = command === 'explain' ? 'graph/malformed' : 'image/unknown-format';
      await expectFailure(folder, [command, 'empty.png', ...out], { status: 1, code: emptyCode });
      await expectFailure(folder, [command, 'cut.png', ...out], { status: 1, code: 'png/malformed' });
      await expectFailure(folder, [command, 'folder.png', ...out], {
        status: 3,
        code: 'file/unreadable',
        says: /folder/,
      });
      const { stderr } = await lineage(folder, [command, 'cut.png', ...out]);
      expect(stderr).toContain('file cut.png');
    },
  );

  test.each([
    ['a workflow', '{"nodes": [], "links": []}', 'graph/malformed', /a workflow in the editor format/],
    ['nesting of 100,000', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'graph/too-deep', /depth/],
    ['no JSON', '{"1": ', 'graph/malformed', /JSON/],
    ['no nodes', '{"1": {"inputs": {}}}', 'graph/malformed', /class_type/],
    ['a number', '7', 'graph/malformed', /number/],
  ] as const)('%s is no prompt graph', async (_what, text, code, says) => {
    const folder = newFolder();
    putJson(folder, 'graph.json', text);
    await expectFailure(folder, ['trace', 'graph.json'], { status: 1, code, says });
    const picture = await putImage(folder, 'a.png', 'png');
    await expectFailure(folder, ['tag', 'a.png', '--prompt', 'graph.json', '--out', 'b.png'], {
      status: 1,
      code,
    });
    writeFileSync(join(folder, 'a.png'), withChunks(picture, [textChunk('prompt', text)]));
    await expectFailure(folder, ['tag', 'a.png', '--out', 'b.png'], { status: 1, code });
  });

  test('NaN is read as nothing, with a warning', async () => {
    const folder = newFolder();
    const text = JSON.stringify(exampleGraph()).replace('"cfg":7.5', '"cfg":NaN,"is_changed":[-Infinity]');
    const ended = await lineage(folder, ['trace', putJson(folder, 'graph.json', text), '--json']);
    expect(ended.status).toBe(0);
    const { parameters, warnings } = documentOf(ended);
    expect(parameters).not.toMatch(/CFG scale|NaN/);
    expect(warnings).toMatchObject([{ code: 'graph/nan' }]);
  });

  test('names of object members are names like others', async () => {
    const folder = newFolder();
    const text = JSON.stringify(exampleGraph()).replace(
      /^\{/,
      '{"__proto__":{"class_type":"constructor","inputs":{"__proto__":["constructor",0]}},' +
        '"constructor":{"class_type":"__proto__","inputs":{"toString":["__proto__",0]}},',
    );
    const linked = text.replace('"images":["17",0]', '"images":["17",0],"valueOf":["__proto__",0]');
    const ended = await lineage(folder, ['trace', putJson(folder, 'graph.json', linked), '--json']);
    expect(ended.status, ended.stderr).toBe(0);
    const { unknown, primary } = documentOf(ended);
    expect(primary).toBe('10');
    expect(unknown).toEqual(
      expect.arrayContaining([
        { nodeId: '__proto__', classType: 'constructor' },
        { nodeId: 'constructor', classType: '__proto__' },
      ]),
    );
  });

  test('a picture with a broken checksum is told so or read, never crashed on', async () => {
    const folder = newFolder();
    const whole = Buffer.from(await putImage(folder, 'a.png', 'png'));
    const at = whole.indexOf('IDAT') + 8;
    whole[at] = whole[at]! ^ 0xff;
    writeFileSync(join(folder, 'a.png'), whole);
    expect(() => pngChunks(whole)).toThrow('bad CRC');
    const { status } = await lineage(folder, ['tag', 'a.png', '--prompt', SDXL, '--out', 'b.webp', '--json']);
    expect([0, 1]).toContain(status);
  });
});
