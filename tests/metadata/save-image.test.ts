import { describe, expect, test } from 'vitest';
import { readContainer } from '../../nodes/formats/container.ts';
import { decodePixels } from '../../nodes/formats/pixels.ts';
import type { Host } from '../../nodes/kit/host.ts';
import { IMAGE_FORMATS, type Pixels } from '../../nodes/kit/values.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import extraMetadata, { parseExtraMetadata } from '../../nodes/metadata/extra-metadata.node.ts';
import { recordSchema } from '../../nodes/metadata/record.ts';
import saveImage from '../../nodes/metadata/save-image.node.ts';
import { makeImage } from '../formats/samples.ts';
import { advanced, chain, kSampler, node, type RawGraph } from './graphs.ts';
import { type LiteralModel, literalModels } from './model-store.ts';

type Inputs = Parameters<typeof saveImage.run>[0];
type Written = Parameters<Host['writeOutput']>[0];

const picture = (value = 0.5): Pixels => ({
  width: 6,
  height: 4,
  channels: 3,
  data: new Float32Array(6 * 4 * 3).map((_, i) => value + (i % 7) / 100),
});
const workflow = { nodes: [{ id: 1, type: 'KSampler', properties: {} }], title: 'é' };

/** A host without a disk: what the node writes and says stays here. */
function literalHost(prompt: unknown, more: Partial<Host> = {}, models: readonly LiteralModel[] = []) {
  const written: Written[] = [];
  const logged: string[] = [];
  const host: Host = {
    prompt,
    extraPnginfo: { workflow },
    nodeId: 'save',
    signal: new AbortController().signal,
    models: literalModels(models),
    now: new Date(2026, 0, 9, 3, 4, 5),
    log: (level, message) => void logged.push(`${level} ${message}`),
    async writeOutput(request) {
      written.push(request);
      return `${request.prefix}_${String(written.length).padStart(5, '0')}_.${request.extension}`;
    },
    ...more,
  };
  return { host, written, logged };
}

/** Runs the node as a host would that leaves optional inputs out. */
async function run(
  inputs: Partial<Inputs> = {},
  prompt: unknown = chain(kSampler('k', 9)),
  more: Partial<Host> = {},
  models: readonly LiteralModel[] = [],
) {
  const { host, written, logged } = literalHost(prompt, more, models);
  const required = {
    images: [picture()],
    filename_prefix: 'out/heron',
    file_format: 'png',
    sampler_selection_method: 'range',
  } as const;
  // A host hands over only what was set.
  const result = await saveImage.run({ ...required, ...inputs } as Inputs, host);
  const carried = written.map(({ bytes }) => readCarried(readContainer(bytes)));
  return { result, written, logged, carried };
}

describe('the files', () => {
  test.each(IMAGE_FORMATS)('%s carries text, graph, workflow and record', async (file_format) => {
    const prompt = chain(kSampler('k', 9));
    const { written, carried, result } = await run({ file_format }, prompt);
    expect(written).toHaveLength(1);
    expect(readContainer(written[0]?.bytes ?? new Uint8Array())).toMatchObject({
      format: file_format,
      width: 6,
      height: 4,
    });
    expect(carried[0]?.parameters).toMatch(
      /^a heron\nNegative prompt: blur\nSteps: 9, .*Size: 6x4, Model: base, Version: ComfyUI$/,
    );
    expect(JSON.parse(carried[0]?.prompt ?? '')).toEqual(prompt);
    expect(JSON.parse(carried[0]?.workflow ?? '')).toEqual(workflow);
    expect(recordSchema.parse(JSON.parse(carried[0]?.record ?? '')).saveNode).toBe('save');
    const extension = file_format === 'jpeg' ? 'jpg' : file_format;
    expect(result.ui?.['images']).toEqual([
      { filename: `heron_00001_.${extension}`, subfolder: 'out', type: 'output' },
    ]);
    expect(written[0]).toMatchObject({ prefix: 'out/heron', extension, counter: true });
  });

  test('PNG holds the pixels that came, floats cut off as ComfyUI does', async () => {
    const data = Float32Array.of(0, 0.999, 1, -1, 2, Number.NaN, 0.5, 128 / 255, 1 / 255, 0.1, 0.7, 0.3);
    const image: Pixels = { width: 2, height: 2, channels: 3, data };
    const { written, result } = await run({ images: [image] });
    const decoded = await decodePixels(written[0]?.bytes ?? new Uint8Array());
    // numpy: np.clip(255. * image, 0, 255).astype(np.uint8)
    expect([...decoded.data]).toEqual([0, 254, 255, 0, 255, 0, 127, 128, 1, 25, 178, 76]);
    expect(result.outputs.images).toEqual([image]);
  });

  test.each([false, true])(
    'how many are written is shown after each (no metadata: %s)',
    async (disableMetadata) => {
      const { host, written } = literalHost(chain(kSampler('k', 9)), { disableMetadata });
      const shown: unknown[] = [];
      const progress = (...said: unknown[]) => void shown.push([...said, written.length]);
      const images = [picture(), picture(), picture()];
      await run({ images }, undefined, { disableMetadata, writeOutput: host.writeOutput, progress });
      expect(shown).toEqual([
        [1, 3, 1],
        [2, 3, 2],
        [3, 3, 3],
      ]);
    },
  );

  test('WebP is without loss unless told otherwise', async () => {
    const image: Pixels = {
      width: 16,
      height: 16,
      channels: 3,
      data: new Uint8Array(768).map((_, i) => (i * 97) % 256),
    };
    const decoded = async (inputs: Partial<Inputs>) => {
      const { written } = await run({ file_format: 'webp', images: [image], ...inputs });
      return [...(await decodePixels(written[0]?.bytes ?? new Uint8Array())).data];
    };
    expect(await decoded({})).toEqual([...image.data]);
    expect(await decoded({ lossless_webp: false, quality: 10 })).not.toEqual([...image.data]);
  });

  test('the same run gives the same bytes', async () => {
    const bytes = async () =>
      Buffer.from((await run({ file_format: 'jpeg' })).written[0]?.bytes ?? []).toString('hex');
    expect(await bytes()).toBe(await bytes());
  });

  test('a budget bounds the JPEG, and what did not fit is said', async () => {
    const prompt = chain({ ...kSampler('k', 9) }, advanced('l', 30, 20, 30));
    const long = { ...prompt, pos: node('CLIPTextEncode', { text: 'é'.repeat(900), clip: ['ckpt', 1] }) };
    const { carried, result, logged } = await run({ file_format: 'jpeg', max_jpeg_exif_kb: 4 }, long);
    expect(carried[0]?.parameters?.trimEnd()).toMatch(/, Samplers: .*, Metadata Fallback: reduced-exif$/);
    expect(JSON.parse(carried[0]?.workflow ?? '')).toEqual(workflow);
    expect(result.ui?.['warnings']).toContainEqual({
      code: 'embed/dropped',
      message: 'workflow: the budget is too small; it is kept compressed, for lineage restore',
      where: 'jpeg',
    });
    expect(logged).toContain('warn [embed/dropped] jpeg: Samplers detail: the budget is too small');
  });
});

describe('a batch', () => {
  test('each picture has its place, its size and its own file', async () => {
    const images = [picture(0.1), { ...picture(0.2), width: 4, height: 6 }, picture(0.3)];
    const { carried, written, result } = await run({
      images,
      filename_prefix: '%width%x%height%-%seed%-%date:yyyy%',
    });
    expect(
      carried.map(
        ({ parameters }) => /Size: .*?, .*(Batch index: \d, Batch size: \d)/.exec(parameters ?? '')?.[1],
      ),
    ).toEqual([
      'Batch index: 0, Batch size: 3',
      'Batch index: 1, Batch size: 3',
      'Batch index: 2, Batch size: 3',
    ]);
    expect(carried.map(({ record }) => recordSchema.parse(JSON.parse(record ?? '')).batch?.index)).toEqual([
      0, 1, 2,
    ]);
    expect(written.map(({ prefix }) => prefix)).toEqual(['6x4-7-2026', '4x6-7-2026', '6x4-7-2026']);
    expect(result.ui?.['images']).toHaveLength(3);
  });

  test('stops between pictures when asked', async () => {
    const controller = new AbortController();
    const { host, written } = literalHost(chain(kSampler('k', 9)), { signal: controller.signal });
    const write = host.writeOutput;
    const stopping: Host = {
      ...host,
      writeOutput: (request) => {
        controller.abort();
        return write(request);
      },
    };
    const inputs = {
      images: [picture(), picture(), picture()],
      filename_prefix: 'x',
      file_format: 'png',
      sampler_selection_method: 'range',
    } as unknown as Inputs;
    await expect(saveImage.run(inputs, stopping)).rejects.toThrow(/abort/i);
    expect(written).toHaveLength(1);
  });
});

describe('the switches', () => {
  test('workflow off: neither graph nor workflow is embedded', async () => {
    const { carried } = await run({ save_workflow_image: false });
    expect(Object.keys(carried[0] ?? {}).toSorted()).toEqual(['digitalSource', 'parameters', 'record']);
  });

  test('a client that sends no workflow', async () => {
    const { carried, written } = await run({ save_workflow_json: true }, undefined, { extraPnginfo: {} });
    expect(carried[0]?.prompt).toBeDefined();
    expect(carried[0]?.workflow).toBeUndefined();
    expect([...(written[0]?.companions?.keys() ?? [])]).toEqual([]);
  });

  test('companions: the workflow and the record beside the picture', async () => {
    const { written, carried } = await run({
      file_format: 'jpeg',
      save_workflow_json: true,
      save_record_json: true,
    });
    const companions = [...(written[0]?.companions ?? [])].map(([name, bytes]) => [
      name,
      Buffer.from(bytes).toString(),
    ]);
    expect(companions.map(([name]) => name)).toEqual(['json', 'jpg.lineage.json']);
    expect(JSON.parse(companions[0]?.[1] ?? '')).toEqual(workflow);
    expect(companions[1]?.[1]).toBe(carried[0]?.record);
    expect([...((await run()).written[0]?.companions?.keys() ?? [])]).toEqual([]);
  });

  test('no counter', async () =>
    expect((await run({ add_counter_to_filename: false })).written[0]?.counter).toBe(false));

  test('names of samplers, guidance, LoRAs and the prompt', async () => {
    const graph = chain(kSampler('k', 9));
    const prompt = {
      ...graph,
      lora: node('LoraLoaderModelOnly', { lora_name: 'glow.pt', strength_model: 0.5, model: ['ckpt', 0] }),
      guide: node('FluxGuidance', { guidance: 3.5, conditioning: ['pos', 0] }),
    };
    const inputs = {
      ...graph['k']?.inputs,
      scheduler: 'karras',
      sampler_name: 'lms',
      model: ['lora', 0],
      positive: ['guide', 0],
    };
    const { carried } = await run(
      {
        civitai_sampler: true,
        guidance_as_cfg: true,
        include_lora_summary: true,
        lora_strengths_in_prompt: true,
      },
      { ...prompt, k: node('KSampler', inputs) },
    );
    expect(carried[0]?.parameters).toContain('a heron <lora:glow:0.5>\n');
    expect(carried[0]?.parameters).toContain('Sampler: LMS Karras, CFG scale: 3.5, Seed');
    expect(carried[0]?.parameters).toContain('LoRAs: glow (0.5)');
  });

  test('a receipt for each picture', async () => {
    const { result } = await run({ receipt: true, images: [picture(), picture()] });
    expect(result.ui?.['receipts']).toHaveLength(2);
    expect(JSON.stringify(result.ui?.['receipts'])).toContain('Steps 9');
    expect((await run()).result.ui?.['receipts']).toEqual([]);
  });

  test.each([
    ['none', []],
    ['filename', ['info [model hash] model base.safetensors: 1a1a1a1a1a']],
    ['path', ['info [model hash] model base.safetensors (/models/base.safetensors): 1a1a1a1a1a']],
    ['detailed', ['"sha256":"1a1a1a1a1a0']],
    ['debug', ['"sha256":"1a1a1a1a1a0', 'lora gone.pt (not found): null']],
  ] as const)('hash log %s', async (model_hash_log, expected) => {
    const lora = node('LoraLoaderModelOnly', { lora_name: 'gone.pt', strength_model: 1, model: ['ckpt', 0] });
    const graph = chain(kSampler('k', 9));
    const prompt = { ...graph, lora, k: node('KSampler', { ...graph['k']?.inputs, model: ['lora', 0] }) };
    const { logged } = await run({ model_hash_log }, prompt, {}, [
      { name: 'base.safetensors', autoV2: '1a1a1a1a1a' },
    ]);
    const lines = logged.filter((line) => line.includes('[model hash]'));
    expect(lines).toHaveLength(expected.length);
    for (const part of expected) expect(lines.some((line) => line.includes(part))).toBe(true);
  });

  test('class types that no rule knows are quiet, unless they are asked for', async () => {
    const graph: RawGraph = { ...chain(kSampler('k', 9)), odd: node('Odd', { image: ['decode', 0] }) };
    const prompt = { ...graph, save: node('LineageSaveImage', { images: ['odd', 0] }) };
    const line = '[graph/unknown-class] odd: no rule pack knows Odd';
    expect((await run({}, prompt)).logged).toContain(`debug ${line}`);
    expect((await run({ suppress_missing_class_log: false }, prompt)).logged).toContain(`warn ${line}`);
  });
});

describe('which sampler', () => {
  const prompt = chain(kSampler('57:8', 9), kSampler('57:10', 20), kSampler('3', 5));
  const primary = async (inputs: Partial<Inputs>, more: Partial<Host> = {}) => {
    const { carried } = await run(inputs, prompt, more);
    return recordSchema.parse(JSON.parse(carried[0]?.record ?? '')).primary;
  };

  test('by method, by an id inside a subgraph, by pin', async () => {
    expect(await primary({})).toBe('57:10');
    expect(await primary({ sampler_selection_method: 'farthest' })).toBe('57:8');
    expect(await primary({ sampler_selection_method: 'nearest' })).toBe('3');
    const byId = { sampler_selection_method: 'by id', sampler_selection_node_id: ' 57:8 ' } as const;
    expect(await primary(byId)).toBe('57:8');
    const pin = { nodes: [{ id: 3, properties: { 'lineage.pin': 'sampler' } }] };
    expect(await primary(byId, { extraPnginfo: { workflow: pin } })).toBe('3');
  });

  test('an id that is none of them costs no finished picture: it is warned of, and the range decides', async () => {
    const chosen = { sampler_selection_method: 'by id', sampler_selection_node_id: '99' } as const;
    const { carried, logged } = await run(chosen, prompt);
    expect(carried).toHaveLength(1);
    expect(logged.some((line) => line.startsWith('warn [sampler/pin-ignored] 99'))).toBe(true);
  });

  test('the cap, and debug lines with their prefix', async () => {
    const { carried, logged } = await run({ max_samplers: 2 }, prompt);
    expect(carried[0]?.parameters).toContain('Samplers: Euler (20 steps) | Euler (9 steps), ');
    expect(logged).toContain('debug [multi-sampler] primary: 57:10 (tier A)');
    expect(logged.some((line) => line.startsWith('warn [sampler/capped]'))).toBe(true);
  });
});

test('values of the run lie over what the graph says', async () => {
  const graph = chain(kSampler('k', 9));
  const pos = node('CLIPTextEncode', { text: ['wild', 0], clip: ['ckpt', 1] });
  const prompt = { ...graph, wild: node('SomebodysWildcards', { text: '{a|b}' }), pos };
  const executed = (id: string, slot: number): unknown =>
    id === 'wild' && slot === 0 ? 'a red heron' : undefined;
  expect((await run({}, prompt, { executed })).carried[0]?.parameters).toMatch(/^a red heron\n/);
  expect((await run({}, prompt)).carried[0]?.parameters).toMatch(/^\nNegative prompt: blur\n/);
});

test('a merge of the graph is named by the file that it made; before it has run, by the name it was given', async () => {
  const prompt = {
    ...chain(kSampler('k', 9)),
    ckpt: node('LineageRunPipeline', { output_name: 'child', precision: 'as written', merge: ['m', 0] }),
    m: node('LineageMerge', { method: 'slerp', params: 't=0.3', weights: '' }),
  };
  const executed = (id: string, slot: number): unknown =>
    id === 'ckpt' && slot === 3 ? 'child_00002.safetensors' : undefined;
  const ran = await run({}, prompt, { executed });
  expect(ran.carried[0]?.parameters).toContain(', Model: child_00002,');
  expect((await run({}, prompt)).carried[0]?.parameters).toContain(', Model: child,');
});

describe('a picture that only passes through', () => {
  const prompt = {
    load: node('LoadImage', { image: 'old.png' }),
    save: node('LineageSaveImage', { images: ['load', 0] }),
  };
  const old = async (): Promise<Uint8Array> =>
    embedMetadata(
      await makeImage('webp'),
      {
        parameters: {
          positive: 'an old heron',
          negative: '',
          details: [{ key: 'Steps', value: '4' }],
          hashes: new Map(),
        },
        prompt: '{"old":1}',
        record: '{"old":true}',
        maxExifBytes: 65_535,
      },
      () => {},
    ).bytes;

  test('keeps what its source said of itself', async () => {
    const asked: string[] = [];
    const readInput = async (name: string) => {
      asked.push(name);
      return await old();
    };
    const { carried, result } = await run({}, prompt, { readInput });
    expect(asked).toEqual(['old.png']);
    const { record, ...texts } = carried[0] ?? {};
    expect(texts).toEqual({
      parameters: 'an old heron\nNegative prompt: \nSteps: 4',
      prompt: '{"old":1}',
      workflow: JSON.stringify(workflow).replace('é', '\\u00e9'),
    });
    // What the source has under our keyword is no record: ours takes its place.
    expect(JSON.parse(record ?? '')).toMatchObject({ saveNode: 'save', samplers: [] });
    expect(result.ui?.['warnings']).toMatchObject([{ code: 'source/kept' }]);
  });

  test.each([
    ['a host without an input folder', {}],
    ['a file that is gone', { readInput: async () => undefined }],
    ['a file of another format', { readInput: async () => Buffer.from('GIF89a') }],
    ['a damaged file', { readInput: async () => (await old()).subarray(0, 40) }],
  ])('%s costs nothing but that', async (_what, more) => {
    const { carried } = await run({}, prompt, more);
    expect(carried[0]?.parameters).toBeUndefined();
    expect(JSON.parse(carried[0]?.prompt ?? '')).toEqual(prompt);
  });
});

test.each(IMAGE_FORMATS)(
  '%s: an owner who wants no metadata gets none, nor files beside it',
  async (file_format) => {
    const all = { file_format, save_workflow_json: true, save_record_json: true, receipt: true };
    const { carried, written } = await run(all, undefined, { disableMetadata: true });
    expect(carried).toEqual([{}]);
    expect(written[0]?.companions).toBeUndefined();
  },
);

describe('LineageExtraMetadata', () => {
  const empty = { key1: '', value1: '', key2: '', value2: '', key3: '', value3: '', key4: '', value4: '' };
  const add = async (pairs: Partial<typeof empty>, before?: ReadonlyMap<string, string>) =>
    (await extraMetadata.run({ ...empty, ...pairs, extra_metadata: before }, literalHost({}).host)).outputs
      .extra_metadata;

  test('hands on its pairs and those of the node before; its own win', async () => {
    const first = await add({ key1: ' Project ', value1: 'heron', key2: 'Artist', value2: 'me' });
    expect(first).toEqual({ Project: 'heron', Artist: 'me' });
    const second = await add(
      { key4: 'Artist', value4: 'you', key1: 'x', value1: ' ', key2: '', value2: 'y' },
      parseExtraMetadata(first),
    );
    expect(second).toEqual({ Project: 'heron', Artist: 'you' });
    const { carried } = await run({ extra_metadata: parseExtraMetadata(second) });
    expect(carried[0]?.parameters).toMatch(/, Artist: you, Project: heron, Version: ComfyUI$/);
  });

  test.each([[null], [5], ['x'], [['a']], [{ a: 1 }], [new Map<string, unknown>([['a', 1]])]])(
    'what is no text is left out: %o',
    (value) => expect(parseExtraMetadata(value).size).toBe(0),
  );

  test('__proto__ is a key like any other', async () => {
    const before = parseExtraMetadata(JSON.parse('{"__proto__":"x","a":"b"}'));
    expect([...before]).toEqual([
      ['__proto__', 'x'],
      ['a', 'b'],
    ]);
    expect(Object.keys(Object(await add({}, before)))).toEqual(['__proto__', 'a']);
  });
});
