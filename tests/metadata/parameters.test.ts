import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { isBuiltIn, renderMultiline, renderParameters } from '../../nodes/metadata/infotext.ts';
import { type ParameterOptions, toParameters } from '../../nodes/metadata/parameters.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { chain, codes, kSampler, learnGraph, node, type RawGraph } from './graphs.ts';
import { type LiteralModel, literalModels } from './model-store.ts';

/** The text of a graph, with the files that are there. */
async function write(graph: RawGraph, options: ParameterOptions = {}, models: readonly LiteralModel[] = []) {
  const { warn, list } = createWarningLog();
  const { learnt } = learnGraph(graph);
  const resources = await resolveResources(learnt, literalModels(models), () => {});
  const parameters = toParameters(learnt, resources, options, warn);
  const text = renderParameters(parameters);
  const details = text.split('\n').at(-1) ?? '';
  return { text, details, parameters, warnings: list };
}

/** KSampler `k` with these inputs instead. */
function sampled(inputs: Readonly<Record<string, unknown>>, more: RawGraph = {}): RawGraph {
  const graph = chain(kSampler('k', 30));
  return { ...graph, k: node('KSampler', { ...graph['k']?.inputs, ...inputs }), ...more };
}

const lora = (name: string, model: unknown, clip: unknown, before: string) =>
  node('LoraLoader', {
    lora_name: name,
    strength_model: model,
    strength_clip: clip,
    model: [before, 0],
    clip: [before, 1],
  });
/** Two LoRAs, `glow` applied first. */
const withLoras = sampled(
  { model: ['l2', 0] },
  {
    l1: lora('style/glow.safetensors', 0.8, 0.5, 'ckpt'),
    l2: lora('ink wash.safetensors', new ExactNumber('1.0'), -0.25, 'l1'),
    pos: node('CLIPTextEncode', { text: 'a heron', clip: ['l2', 1] }),
  },
);

describe('the details line', () => {
  test('a plain run', async () => {
    const { text } = await write(chain(kSampler('k', 30)));
    expect(text).toBe(
      'a heron\nNegative prompt: blur\nSteps: 30, Sampler: Euler, Schedule type: Normal, CFG scale: 5, Seed: 7, Size: 64x48, Model: base, Version: ComfyUI',
    );
  });

  test('numbers stand as the graph spells them', async () => {
    const inputs = {
      seed: new ExactNumber('18446744073709551615'),
      cfg: new ExactNumber('8.0'),
      steps: '12',
    };
    const { details } = await write(sampled(inputs));
    expect(details).toContain('Steps: 12, ');
    expect(details).toContain('CFG scale: 8.0, Seed: 18446744073709551615,');
  });

  test.each([
    [{ denoise: 0.35 }, 'Denoising strength: 0.35'],
    [{ denoise: new ExactNumber('0.50') }, 'Denoising strength: 0.50'],
  ])('%j is written', async (inputs, expected) =>
    expect((await write(sampled(inputs))).details).toContain(expected),
  );

  test.each([{ denoise: 1 }, { denoise: new ExactNumber('1.0') }, { denoise: undefined }])(
    '%j is no denoising strength',
    async (inputs) => expect((await write(sampled(inputs))).details).not.toContain('Denoising'),
  );

  test.each([
    [-1, undefined],
    [-2, 'Clip skip: 2'],
    ['x', undefined],
  ])('stop_at_clip_layer %s: %s', async (stop_at_clip_layer, expected) => {
    const skip = node('CLIPSetLastLayer', { stop_at_clip_layer, clip: ['ckpt', 1] });
    const pos = node('CLIPTextEncode', { text: 'a', clip: ['skip', 0] });
    const { details } = await write(sampled({}, { skip, pos }));
    if (expected === undefined) expect(details).not.toContain('Clip skip');
    else expect(details).toContain(expected);
  });

  test('weight type, shifts, guidance and text encoders', async () => {
    const graph = sampled(
      { model: ['shift', 0], positive: ['guide', 0] },
      {
        unet: node('UNETLoader', { unet_name: 'flux/dev.sft', weight_dtype: 'fp8_e4m3fn' }),
        shift: node('ModelSamplingFlux', {
          max_shift: 1.15,
          base_shift: 0.5,
          width: 64,
          height: 48,
          model: ['unet', 0],
        }),
        clip: node('DualCLIPLoader', {
          clip_name1: 't5xxl.safetensors',
          clip_name2: 'clip_l.safetensors',
          type: 'flux',
        }),
        pos: node('CLIPTextEncode', { text: 'a', clip: ['clip', 0] }),
        guide: node('FluxGuidance', { guidance: 3.5, conditioning: ['pos', 0] }),
      },
    );
    const { details } = await write(graph);
    expect(details).toContain('CFG scale: 5, Distilled CFG Scale: 3.5, Seed');
    expect(details).toContain(
      'Model: dev, Weight dtype: fp8_e4m3fn, Max shift: 1.15, Base shift: 0.5, Text encoders: t5xxl | clip_l, Version',
    );
    const asCfg = await write(graph, { guidanceAsCfg: true });
    expect(asCfg.details).toContain('CFG scale: 3.5, Seed');
    expect(asCfg.details).not.toContain('Distilled');
    const plain = { ...graph, unet: node('UNETLoader', { unet_name: 'dev.sft', weight_dtype: 'default' }) };
    expect((await write(plain)).details).not.toContain('Weight dtype');
  });

  test('ControlNets with the strength of the node that applies each, first applied first', async () => {
    const apply = (control: string, strength: number, before: string) =>
      node('ControlNetApplyAdvanced', {
        strength,
        control_net: [control, 0],
        image: ['img', 0],
        positive: [before, 0],
        negative: [before === 'pos' ? 'neg' : before, before === 'pos' ? 0 : 1],
      });
    const graph = sampled(
      { positive: ['a2', 0], negative: ['a2', 1] },
      {
        c1: node('ControlNetLoader', { control_net_name: 'canny.safetensors' }),
        c2: node('ControlNetLoader', { control_net_name: 'depth.pth' }),
        img: node('LoadImage', { image: 'x.png' }),
        a1: apply('c1', 0.8, 'pos'),
        a2: apply('c2', 0.4, 'a1'),
      },
    );
    expect((await write(graph)).details).toContain(
      'ControlNet 0: "Name: canny, Weight: 0.8", ControlNet 1: "Name: depth, Weight: 0.4", ',
    );
  });

  test('the real size wins over the one the graph says; batch index and size are those given', async () => {
    const { details } = await write(chain(kSampler('k', 5)), {
      size: { width: 100, height: 200 },
      batch: { index: 2, size: 3 },
    });
    expect(details).toContain('Size: 100x200, ');
    expect(details).toContain('Batch index: 2, Batch size: 3, ');
    const batch = sampled({}, { empty: node('EmptyLatentImage', { width: 8, height: 8, batch_size: 4 }) });
    expect((await write(batch)).details).toContain('Batch size: 4, ');
    expect((await write(chain(kSampler('k', 5)))).details).not.toContain('Batch');
  });
});

describe('LoRAs', () => {
  test('each with its strengths, in the order they are applied', async () => {
    expect((await write(withLoras)).details).toContain(
      'LoRA 0: "Name: glow, Strength model: 0.8, Strength clip: 0.5", LoRA 1: "Name: ink wash, Strength model: 1.0, Strength clip: -0.25", Version',
    );
  });

  test('a summary, and tags in the prompt that Civitai can read', async () => {
    const { details, parameters } = await write(
      withLoras,
      { loraSummary: true, loraStrengthsInPrompt: true },
      [{ name: 'ink wash.safetensors', autoV2: '3c3c3c3c3c' }],
    );
    expect(details).toContain(', LoRAs: glow (0.8) | ink wash (1.0), ');
    expect(parameters.positive).toBe('a heron <lora:glow:0.8> <lora:ink_wash:1.0>');
    // The alias of the hash is the name in the tag.
    expect(details).toContain('Lora hashes: "ink_wash: 3c3c3c3c3c"');
  });
});

describe('hashes', () => {
  const models: LiteralModel[] = [
    { name: 'base.safetensors', autoV2: '1a1a1a1a1a' },
    { name: 'style/glow.safetensors', autoV2: '3c3c3c3c3c' },
    { name: 'easy', autoV2: '5e5e5e5e5e' },
    { name: 'kl.pt', autoV2: '4d4d4d4d4d' },
  ];
  const graph = {
    ...withLoras,
    neg: node('CLIPTextEncode', { text: 'embedding:easy', clip: ['ckpt', 1] }),
    vae: node('VAELoader', { vae_name: 'kl.pt' }),
    decode: node('VAEDecode', { samples: ['k', 0], vae: ['vae', 0] }),
  };

  test('of files that were found, before the name of each, and in one object', async () => {
    const { details, parameters } = await write(graph, {}, models);
    expect(details).toContain('Model hash: 1a1a1a1a1a, Model: base, VAE hash: 4d4d4d4d4d, VAE: kl, LoRA 0');
    expect(details).toContain('Lora hashes: "glow: 3c3c3c3c3c", Hashes: {"');
    expect(Object.fromEntries(parameters.hashes)).toEqual({
      model: '1a1a1a1a1a',
      vae: '4d4d4d4d4d',
      'lora:glow': '3c3c3c3c3c',
      'embed:easy': '5e5e5e5e5e',
    });
  });

  test('no placeholder where files are missing', async () => {
    const { details } = await write(graph);
    expect(details).not.toMatch(/hash|None|N\/A|null|undefined/i);
    expect(details).toContain('Model: base, VAE: kl, ');
  });

  test('stand behind Lora hashes, else before keys of the user’s own, else before Version', async () => {
    const only = models.slice(0, 1);
    const extra = new Map([['Zoo', 'z']]);
    expect((await write(graph, { extra }, models)).details).toMatch(
      /Lora hashes: "[^"]*", Hashes: \{.*\}, Zoo: z, Version/,
    );
    expect((await write(sampled({}), { extra }, only)).details).toMatch(
      /Model: base, Hashes: \{.*\}, Zoo: z, Version/,
    );
    expect((await write(sampled({}), {}, only)).details).toMatch(
      /Model: base, Hashes: \{.*\}, Version: ComfyUI$/,
    );
  });
});

describe('keys of the user’s own', () => {
  const extras = (...pairs: [string, string][]) => write(chain(kSampler('k', 5)), { extra: new Map(pairs) });

  test('in alphabetical order, before Version', async () => {
    const { details, warnings } = await extras(['b', '2'], ['a', '1'], ['Ünit', 'x']);
    expect(details).toMatch(/, Model: base, a: 1, b: 2, Ünit: x, Version: ComfyUI$/);
    expect(warnings).toEqual([]);
  });

  test('in a form that breaks no reader, with a warning', async () => {
    const { details, warnings } = await extras(['my:key', 'a, b: "c"'], ['', 'x'], ['empty', ' ']);
    expect(details).toMatch(/, my key: a b c, Version: ComfyUI$/);
    expect(new Set(codes(warnings))).toEqual(new Set(['value/cleaned']));
  });

  test.each([
    'Steps',
    'seed',
    'Version',
    'Samplers detail',
    'LoRA 7',
    'My Resources',
    'Hashed prompt',
    'Metadata Fallback',
  ])('%s is refused with a warning', async (key) => {
    const { details, warnings } = await extras([key, 'mine']);
    expect(details).not.toContain('mine');
    expect(codes(warnings)).toEqual(['value/cleaned']);
  });

  test('isBuiltIn knows every key that is written', async () => {
    const { parameters } = await write(withLoras, { loraSummary: true, batch: { index: 0, size: 2 } });
    for (const { key } of parameters.details) expect(isBuiltIn(key), key).toBe(true);
    expect(isBuiltIn('Project')).toBe(false);
  });
});

describe('the whole text', () => {
  test('an empty prompt leaves its line empty', async () => {
    const { text } = await write(
      sampled({}, { pos: node('CLIPTextEncode', { text: '' }), neg: node('CLIPTextEncode', { text: ' ' }) }),
    );
    expect(text.startsWith('\nNegative prompt: \nSteps: 30, ')).toBe(true);
  });

  test('a prompt that begins with a brace gets a space in front: readers would take it for JSON', async () => {
    const { text } = await write(sampled({}, { pos: node('CLIPTextEncode', { text: '{a|b}' }) }));
    expect(text.startsWith(' {a|b}\nNegative prompt: ')).toBe(true);
  });

  test('nothing known, nothing written', async () => {
    const { text } = await write({ save: node('SaveImage', {}) });
    expect(text).toBe('');
  });

  test("a sampler's name as Civitai lists it", async () => {
    const { details } = await write(sampled({ sampler_name: 'dpmpp_2m', scheduler: 'karras' }), {
      civitaiSampler: true,
    });
    expect(details).toContain('Steps: 30, Sampler: DPM++ 2M Karras, CFG');
  });

  test('a name that could break the line is cleaned', async () => {
    const { details } = await write(sampled({ sampler_name: 'a, b: "c"', scheduler: 'x\ny' }));
    expect(details).toContain('Sampler: a b c, Schedule type: x y, CFG');
  });

  test('a sampler that takes no text shows the words of the one before it', async () => {
    const graph = chain(kSampler('10', 10), kSampler('11', 20));
    const { positive: _p, negative: _n, ...bare } = graph['11']?.inputs ?? {};
    const { text } = await write({ ...graph, '11': node('KSampler', bare) });
    expect(text).toMatch(/^a heron\nNegative prompt: blur\nSteps: 20, /);
  });

  test('one key a line says the same', async () => {
    const { parameters } = await write(withLoras);
    expect(renderMultiline(parameters)).toBe(
      [
        'a heron',
        'Negative prompt: blur',
        'Steps: 30',
        'Sampler: Euler',
        'Schedule type: Normal',
        'CFG scale: 5',
        'Seed: 7',
        'Size: 64x48',
        'Model: base',
        'LoRA 0: "Name: glow, Strength model: 0.8, Strength clip: 0.5"',
        'LoRA 1: "Name: ink wash, Strength model: 1.0, Strength clip: -0.25"',
        'Version: ComfyUI',
      ].join('\n'),
    );
  });
});
