import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import piexif from 'piexifjs';
import { describe, expect, test } from 'vitest';
import {
  answerPanel,
  MAX_POSTED_BYTES,
  type PanelReach,
  type PanelRequest,
  type SavedName,
} from '../../bridge/panel/panel.ts';
import type { Host } from '../../nodes/kit/host.ts';
import saveImage from '../../nodes/metadata/save-image.node.ts';
import { textChunk, withChunks } from '../bridge/cli/pictures.ts';
import { makeImage } from '../formats/samples.ts';
import { literalModels } from '../metadata/model-store.ts';

const EXAMPLES = new URL('../../fixtures/examples/metadata/', import.meta.url);
const readExample = (name: string): { prompt: object; workflow: object } =>
  JSON.parse(readFileSync(new URL(`${name}.json`, EXAMPLES), 'utf8'));
/** Beyond a double: the seed of the Flux example. */
const LONG_SEED = '17364925080427183911';

/** Asks with one file at hand, `picture`. */
async function ask(
  path: string,
  { method = 'GET', body = new Uint8Array(), query = {}, picture }: Asked = {},
): Promise<{ status: number; text: string; json: Answered; asked: SavedName[] }> {
  const asked: SavedName[] = [];
  const reach: PanelReach = {
    async readSaved(name) {
      asked.push(name);
      return picture;
    },
  };
  const request: PanelRequest = { method, path, body, query: new Map(Object.entries(query)) };
  const answer = await answerPanel(request, reach);
  expect(answer.contentType).toBe('application/json; charset=utf-8');
  const text = new TextDecoder().decode(answer.body);
  return { status: answer.status, text, json: JSON.parse(text), asked };
}
type Asked = {
  readonly method?: 'GET' | 'POST';
  readonly body?: Uint8Array;
  readonly query?: Readonly<Record<string, string>>;
  readonly picture?: Uint8Array | undefined;
};
type Answered = Readonly<Record<string, unknown>> & { readonly error?: { code: string; hint: string } };

/** A picture as the save node writes it, of a graph that was queued. */
async function saved(
  example: string,
  nodeId: string,
  inputs: object = {},
  spelled?: string,
): Promise<Uint8Array> {
  const { prompt, workflow } = readExample(example);
  let bytes = new Uint8Array();
  const host: Host = {
    prompt: spelled === undefined ? prompt : JSON.parse(spelled),
    extraPnginfo: { workflow },
    nodeId,
    signal: new AbortController().signal,
    models: literalModels([]),
    now: new Date(2026, 0, 9),
    log: () => {},
    async writeOutput(request) {
      bytes = new Uint8Array(request.bytes);
      return 'x.png';
    },
  };
  const given = {
    images: [{ width: 8, height: 6, channels: 3, data: new Uint8Array(144).fill(90) }],
    filename_prefix: 'x',
    file_format: 'png',
    sampler_selection_method: 'range',
    ...inputs,
  } as unknown as Parameters<typeof saveImage.run>[0];
  await saveImage.run(given, host);
  return bytes;
}

/** A JPEG whose graphs another program put where ComfyUI's nodes put them: `Make` and `Model` of IFD0. */
async function foreignJpeg(graphs: { workflow?: string; prompt?: string }): Promise<Uint8Array> {
  const plain = Buffer.from(await makeImage('jpeg')).toString('latin1');
  const tags = {
    ...(graphs.workflow !== undefined && { [piexif.ImageIFD.Make]: `workflow:${graphs.workflow}` }),
    ...(graphs.prompt !== undefined && { [piexif.ImageIFD.Model]: `prompt:${graphs.prompt}` }),
  };
  return Buffer.from(piexif.insert(piexif.dump({ '0th': tags }), plain), 'latin1');
}

describe('GET /receipt', () => {
  test('one row a reader, with its name and mark', async () => {
    const picture = await saved('sdxl-base-refiner', '19');
    const { status, json } = await ask('/receipt', { query: { filename: 'a.png' }, picture });
    expect(status).toBe(200);
    expect(json).toMatchObject({ format: 'png', stage: 'full' });
    const rows = json['rows'] as { name: string; mark: string; loses: unknown[] }[];
    // As README's table for the PNG of this graph says; it was written by hand from the readers' sources.
    expect(rows.map(({ name, mark }) => `${name} ${mark}`)).toEqual([
      'Civitai some',
      'A1111 / Forge all',
      'sd-prompt-reader all',
      'ComfyUI front end all',
      'sd-metadata all',
      'Image-MetaHub all',
    ]);
    expect(rows[0]?.loses).not.toEqual([]);
  });

  test('a picture without metadata: nobody sees anything', async () => {
    const { json } = await ask('/receipt', { query: { filename: 'a.png' }, picture: await makeImage('png') });
    expect((json['rows'] as { mark: string }[]).every(({ mark }) => mark === 'none')).toBe(true);
  });

  test('a small budget is named', async () => {
    const picture = await saved('wan22-two-stage', '28', { file_format: 'jpeg', max_jpeg_exif_kb: 8 });
    expect((await ask('/receipt', { query: { filename: 'a.jpg' }, picture })).json).toMatchObject({
      format: 'jpeg',
      stage: 'reduced-exif',
    });
  });
});

describe('GET /fields', () => {
  test('each field with the nodes it came along, from the record', async () => {
    const picture = await saved('sdxl-base-refiner', '19');
    const { json } = await ask('/fields', { query: { filename: 'a.png' }, picture });
    expect(json).toMatchObject({
      from: 'record',
      width: 8,
      height: 6,
      saveNode: '19',
      primary: '10',
      holds: { prompt: true, workflow: true },
      negative: 'text, watermark, people',
    });
    expect(json['fields']).toContainEqual(
      expect.objectContaining({
        field: 'LORA_STRENGTH_MODEL',
        value: '0.8',
        nodeId: '20',
        classType: 'LoraLoader',
        input: 'strength_model',
        path: ['20', '10', '11', '17', '19'],
        sampler: '10',
      }),
    );
    expect((json['samplers'] as { nodeId: string }[]).map(({ nodeId }) => nodeId)).toEqual(['10', '11']);
  });

  test('without a record, traced from the graph; a 64-bit seed is not rounded', async () => {
    const text = readFileSync(new URL('flux-custom-sampling.json', EXAMPLES), 'utf8');
    const prompt = /"prompt": (\{[\s\S]*\}),\s*"workflow"/.exec(text)?.[1] ?? '';
    expect(prompt).toContain(LONG_SEED);
    const picture = withChunks(await makeImage('png'), [textChunk('prompt', prompt.replace(/\s+/g, ' '))]);
    const { json } = await ask('/fields', { query: { filename: 'a.png' }, picture });
    expect(json).toMatchObject({ from: 'graph', saveNode: '9', primary: '13', parameters: '' });
    expect(json['fields']).toContainEqual(
      expect.objectContaining({ field: 'SEED', value: LONG_SEED, nodeId: '25' }),
    );
  });

  test('with several saving nodes, the one that is named', async () => {
    const prompt = {
      1: { class_type: 'EmptyImage', inputs: { width: 8, height: 8 } },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'a' } },
      3: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'b' } },
    };
    const picture = withChunks(await makeImage('png'), [textChunk('prompt', JSON.stringify(prompt))]);
    const unnamed = await ask('/fields', { query: { filename: 'a.png' }, picture });
    expect([unnamed.status, unnamed.json.error?.code]).toEqual([422, 'graph/several-save-nodes']);
    const named = await ask('/fields', { query: { filename: 'a.png', node: '3' }, picture });
    expect(named.json).toMatchObject({ from: 'graph', saveNode: '3' });
  });

  test('a text alone is taken apart', async () => {
    const text = 'a heron\nNegative prompt: fog\nSteps: 9, Sampler: Euler, Seed: 4';
    const picture = withChunks(await makeImage('png'), [textChunk('parameters', text)]);
    expect((await ask('/fields', { query: { filename: 'a.png' }, picture })).json).toMatchObject({
      from: 'none',
      positive: 'a heron',
      negative: 'fog',
      details: [
        { key: 'Steps', value: '9' },
        { key: 'Sampler', value: 'Euler' },
        { key: 'Seed', value: '4' },
      ],
      fields: [],
    });
  });
});

describe('POST /workflow', () => {
  test.each(['png', 'jpeg', 'webp', 'avif'])('%s: the graphs as they were queued', async (file_format) => {
    const { prompt, workflow } = readExample('sdxl-base-refiner');
    const body = await saved('sdxl-base-refiner', '19', { file_format });
    const { status, json } = await ask('/workflow', { method: 'POST', body });
    expect(status).toBe(200);
    expect(json).toEqual({ format: file_format, workflow, prompt, warnings: [] });
  });

  test('a JPEG of another program; numbers keep their spelling', async () => {
    const body = await foreignJpeg({ workflow: `{"nodes":[{"id":1,"widgets_values":[${LONG_SEED},5.0]}]}` });
    const { text } = await ask('/workflow', { method: 'POST', body });
    expect(text).toContain(`[${LONG_SEED},5.0]`);
  });

  test('NaN, which Python writes, is null with a warning', async () => {
    const body = await foreignJpeg({ prompt: '{"1":{"is_changed":[NaN]}}' });
    const { json } = await ask('/workflow', { method: 'POST', body });
    expect(json).toMatchObject({ prompt: { 1: { is_changed: [null] } }, warnings: [{ code: 'graph/nan' }] });
  });

  test('a key __proto__ stays a key', async () => {
    const body = await foreignJpeg({ prompt: '{"__proto__":{"class_type":"X"}}' });
    const { text } = await ask('/workflow', { method: 'POST', body });
    expect(text).toContain('"prompt":{"__proto__":{"class_type":"X"}}');
  });
});

describe('what cannot be answered says why', () => {
  const faults: readonly [string, number, string, string, Asked][] = [
    ['no file name', 400, 'panel/bad-request', '/receipt', {}],
    ['a name with NUL', 400, 'panel/bad-request', '/fields', { query: { filename: 'a\0.png' } }],
    ['an unknown folder', 400, 'panel/bad-request', '/fields', { query: { filename: 'a', type: 'etc' } }],
    ['a missing file', 404, 'file/missing', '/receipt', { query: { filename: 'a.png' } }],
    ['an unknown route', 404, 'panel/unknown-route', '/__proto__', {}],
    ['a wrong method', 404, 'panel/unknown-route', '/workflow', {}],
    ['no picture', 415, 'image/unknown-format', '/workflow', { method: 'POST', body: Buffer.from('<svg/>') }],
    [
      'a damaged picture',
      422,
      'png/malformed',
      '/workflow',
      { method: 'POST', body: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1) },
    ],
    [
      'too much',
      413,
      'panel/too-large',
      '/workflow',
      { method: 'POST', body: new Uint8Array(MAX_POSTED_BYTES + 1) },
    ],
  ];
  test.each(faults)('%s: %i', async (_, status, code, path, asked) => {
    const answer = await ask(path, asked);
    expect([answer.status, answer.json.error?.code]).toEqual([status, code]);
    expect(answer.json.error?.hint).toMatch(/\.$/);
  });

  test('a picture without a graph, and one whose graph is none', async () => {
    const none = await ask('/workflow', { method: 'POST', body: await makeImage('jpeg') });
    expect([none.status, none.json.error?.code]).toEqual([422, 'panel/no-graph']);
    for (const workflow of ['{"nodes":', '[1]']) {
      const broken = await ask('/workflow', { method: 'POST', body: await foreignJpeg({ workflow }) });
      expect([broken.status, broken.json.error?.code]).toEqual([422, 'graph/malformed']);
    }
  });

  test('the host is asked for what the browser named, and for nothing when that is wrong', async () => {
    const query = { filename: 'a b.png', subfolder: 'x/y', type: 'temp' };
    expect((await ask('/receipt', { query })).asked).toEqual([query]);
    expect((await ask('/receipt', { query: { filename: 'a.png' } })).asked).toEqual([
      { filename: 'a.png', subfolder: '', type: 'output' },
    ]);
    expect((await ask('/receipt', { query: { filename: 'a', type: 'x' } })).asked).toEqual([]);
  });

  test('a bug of the host is not dressed up as an answer', async () => {
    const request: PanelRequest = {
      method: 'GET',
      path: '/receipt',
      query: new Map([['filename', 'a']]),
      body: new Uint8Array(),
    };
    const reach = { readSaved: () => Promise.reject(new TypeError('a bug')) };
    await expect(answerPanel(request, reach)).rejects.toThrow('a bug');
  });

  test('any bytes are answered', async () => {
    const start = fc.constantFrom(
      [0xff, 0xd8, 0xff, 0xe1],
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
      [],
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), async (head, tail) => {
        const { status } = await ask('/workflow', {
          method: 'POST',
          body: Uint8Array.from([...head, ...tail]),
        });
        expect([415, 422]).toContain(status);
      }),
      { numRuns: 200 },
    );
  });
});
