import { expect, test } from 'vitest';
import { readContainer } from '../../nodes/formats/container.ts';
import type { Host } from '../../nodes/kit/host.ts';
import type { OwnerSettings } from '../../nodes/kit/owner-settings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import saveImage from '../../nodes/metadata/save-image.node.ts';
import { chain, kSampler, node } from './graphs.ts';
import { literalModels } from './model-store.ts';

type Inputs = Parameters<typeof saveImage.run>[0];

const GRAPH = {
  ...chain(kSampler('k', 9)),
  lora: node('LoraLoaderModelOnly', { lora_name: 'glow.pt', strength_model: 0.8, model: ['ckpt', 0] }),
  k: node('KSampler', { ...chain(kSampler('k', 9))['k']?.inputs, model: ['lora', 0] }),
};
const MODELS = literalModels([{ name: 'glow.pt', autoV2: '3c3c3c3c3c' }]);

async function save(owner: OwnerSettings, inputs: Partial<Inputs> = {}) {
  const logged: string[] = [];
  let bytes = new Uint8Array();
  const host: Host = {
    prompt: GRAPH,
    extraPnginfo: {},
    nodeId: 'save',
    signal: new AbortController().signal,
    models: MODELS,
    owner,
    now: new Date(2026, 0, 9),
    log: (level, message) => void logged.push(`${level} ${message}`),
    async writeOutput(request) {
      bytes = Uint8Array.from(request.bytes);
      return 'x.png';
    },
  };
  const images = [{ width: 4, height: 4, channels: 3 as const, data: new Uint8Array(48) }];
  const required = {
    images,
    filename_prefix: 'x',
    file_format: 'png',
    sampler_selection_method: 'range',
  } as const;
  await saveImage.run({ ...required, ...inputs } as Inputs, host);
  const { parameters = '', record = '{}' } = readCarried(readContainer(bytes));
  return {
    bytes,
    logged,
    parameters,
    record: JSON.parse(record) as { resources: Record<string, unknown>[] },
  };
}

test('no LoRA summary, whatever the widget says', async () => {
  expect((await save({}, { include_lora_summary: true })).parameters).toContain(', LoRAs: glow (0.8)');
  expect((await save({ noLoraSummary: true }, { include_lora_summary: true })).parameters).not.toContain(
    'LoRAs:',
  );
});

test('no hash detail: the record keeps the short hash, the text all it had', async () => {
  const glow = async (owner: OwnerSettings) => {
    const { record, parameters } = await save(owner);
    return { resource: record.resources.find(({ name }) => name === 'glow.pt') ?? {}, parameters };
  };
  const [plain, short] = [await glow({}), await glow({ noHashDetail: true })];
  expect(Object.keys(plain.resource)).toEqual(expect.arrayContaining(['sha256', 'autoV1', 'autoV2']));
  expect(Object.keys(short.resource)).not.toEqual(expect.arrayContaining(['sha256']));
  expect(short.resource['autoV2']).toBe('3c3c3c3c3c');
  expect(short.parameters).toBe(plain.parameters);
});

test('hashes are logged by the owner’s mode where the widget says none', async () => {
  const line = 'info [model hash] lora glow.pt: 3c3c3c3c3c';
  expect((await save({})).logged).not.toContain(line);
  expect((await save({ hashLog: 'filename' })).logged).toContain(line);
  const { logged } = await save({ hashLog: 'filename' }, { model_hash_log: 'path' });
  expect(logged).toContain('info [model hash] lora glow.pt (/models/glow.pt): 3c3c3c3c3c');
});

test('prompts are logged as understood', async () => {
  expect((await save({})).logged.join('\n')).not.toContain('[prompt]');
  expect((await save({ debugPrompts: true })).logged).toEqual(
    expect.arrayContaining(['info [prompt] k positive: a heron', 'info [prompt] k negative: blur']),
  );
});

test('the most metadata of a JPEG is the lower of the widget and the owner', async () => {
  const exifBytes = async (owner: OwnerSettings, kilobytes: number) => {
    const { bytes } = await save(owner, {
      file_format: 'jpeg',
      max_jpeg_exif_kb: kilobytes,
      extra_metadata: new Map([['Note', 'n'.repeat(3_000)]]),
    });
    return readContainer(bytes).exif?.length ?? 0;
  };
  expect(await exifBytes({}, 60)).toBeGreaterThan(4_096);
  expect(await exifBytes({ maxExifBytes: 4_096 }, 60)).toBeLessThanOrEqual(4_096);
});
