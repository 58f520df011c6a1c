import { describe, expect, test } from 'vitest';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { chain, kSampler, learnGraph, node } from './graphs.ts';
import { literalModels } from './model-store.ts';

const graph = {
  // Two samplers that share a model: it is one file all the same.
  ...chain(kSampler('j', 4), kSampler('k', 9)),
  lora: node('LoraLoader', {
    lora_name: 'sub/glow.safetensors',
    strength_model: 1,
    strength_clip: 1,
    model: ['ckpt', 0],
    clip: ['ckpt', 1],
  }),
  pos: node('CLIPTextEncode', { text: 'embedding:easy', clip: ['lora', 1] }),
  vae: node('VAELoader', { vae_name: 'kl.pt' }),
  up: node('UpscaleModelLoader', { model_name: '4x.pth' }),
  big: node('ImageUpscaleWithModel', { upscale_model: ['up', 0], image: ['decode', 0] }),
  decode: node('VAEDecode', { samples: ['k', 0], vae: ['vae', 0] }),
  save: node('SaveImage', { images: ['big', 0] }),
};
const { learnt } = learnGraph(graph);

async function resolve(models: Parameters<typeof literalModels>[0], signal?: AbortSignal) {
  const store = literalModels(models);
  const { warn, list } = createWarningLog();
  const resources = await resolveResources(learnt, store, warn, signal ? { signal } : {});
  return { resources, warnings: list, asked: store.asked };
}

describe('resolveResources', () => {
  test('asks once for each file, in the folders of its kind', async () => {
    const { asked } = await resolve([]);
    expect(asked.toSorted()).toEqual(
      [
        '4x.pth in upscale_models',
        'base.safetensors in checkpoints, diffusion_models',
        'easy in embeddings',
        'kl.pt in vae',
        'sub/glow.safetensors in loras',
      ].toSorted(),
    );
  });

  test('a file that is there has its size and hashes; its place is not for the picture', async () => {
    const { resources, warnings } = await resolve([{ name: 'kl.pt', autoV2: '4d4d4d4d4d' }]);
    expect(resources.get('vae:kl.pt')).toEqual({
      kind: 'vae',
      name: 'kl.pt',
      found: true,
      file: '/models/kl.pt',
      bytes: 7,
      hashes: { sha256: '4d4d4d4d4d'.padEnd(64, '0'), autoV1: '4d4d4d4d', autoV2: '4d4d4d4d4d' },
    });
    expect(warnings.map(({ message }) => message)).not.toContain('vae kl.pt');
  });

  test.each([
    ['missing', ['resource/missing']],
    ['outside', ['resource/outside']],
    ['unconfigured', []],
  ] as const)('%s is a fact and not an exception', async (reason, codes) => {
    const lookup = { found: false, reason } as const;
    const names = ['base.safetensors', 'sub/glow.safetensors', 'easy', '4x.pth', 'kl.pt'];
    const { resources, warnings } = await resolve(names.map((name) => ({ name, lookup })));
    expect([...resources.values()].map(({ found }) => found)).toEqual(Array(5).fill(false));
    expect([...new Set(warnings.map(({ code }) => code))]).toEqual(codes);
    expect(resources.get('embed:easy')).toEqual({ kind: 'embed', name: 'easy', found: false });
  });

  test('a file that cannot be read costs only its own hashes', async () => {
    const store = literalModels([{ name: 'kl.pt' }, { name: 'easy', autoV2: '5e5e5e5e5e' }]);
    const failing = {
      ...store,
      hash: (file: string) =>
        file.endsWith('kl.pt')
          ? Promise.reject(new LineageError('file/unreadable', 'expected to read it, got EACCES', { file }))
          : store.hash(file),
    };
    const { warn, list } = createWarningLog();
    const resources = await resolveResources(learnt, failing, warn);
    expect(resources.get('vae:kl.pt')).toEqual({
      kind: 'vae',
      name: 'kl.pt',
      found: true,
      file: '/models/kl.pt',
      bytes: 7,
    });
    expect(resources.get('embed:easy')?.hashes?.autoV2).toBe('5e5e5e5e5e');
    expect(list.filter(({ code }) => code === 'resource/unreadable')).toMatchObject([{ where: 'vae' }]);
  });

  test('any other fault is not hidden', async () => {
    const broken = {
      ...literalModels([{ name: 'kl.pt' }]),
      hash: () => Promise.reject(new TypeError('a bug')),
    };
    await expect(resolveResources(learnt, broken, () => {})).rejects.toThrow('a bug');
  });

  test('stops when asked', async () => {
    await expect(resolve([], AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});

describe('without model folders', () => {
  const record = (kind: string, name: string, digit: string) => ({
    kind,
    name,
    sha256: digit.repeat(64),
    autoV1: digit.repeat(8),
    autoV2: digit.repeat(10),
  });
  const store: ModelStore = {
    find: async () => ({ found: false, reason: 'unconfigured' }),
    hash: () => Promise.reject(new Error('never asked')),
  };

  test('what the picture recorded counts for the same kind and name, and that is said', async () => {
    const { warn, list } = createWarningLog();
    const known = [record('model', 'kl.pt', 'a'), record('vae', 'kl.pt', 'b'), record('lora', 'other', 'c')];
    const resources = await resolveResources(learnt, store, warn, { known });
    expect(resources.get('vae:kl.pt')).toMatchObject({ found: false, hashes: { autoV2: 'b'.repeat(10) } });
    expect(resources.get('model:base.safetensors')).toEqual({
      kind: 'model',
      name: 'base.safetensors',
      found: false,
    });
    expect(list).toEqual([
      { code: 'resource/recorded', message: `vae kl.pt: ${'b'.repeat(10)}`, where: 'vae' },
    ]);
  });
});
