import { numberOf, picturesOf } from '../../../nodes/builtin/read-inputs.ts';
import { input, output, testNode } from './_declare.ts';
import { buildGraph } from './_graph-builder.ts';
import { type Batch, combine, constant, multiply, rangeOf } from './_pictures.ts';

/** Nodes that mix pictures: lazily, of any number of inputs, with a fingerprint, or by an expansion. */

const IMAGE = input('IMAGE');
const MASK_512 = { height: 512, width: 512, batch_size: 1 };

/** Which picture a mask asks for alone: 1 where it is black, 2 where it is white, none else. */
function onlyOneOf(mask: Batch): 1 | 2 | undefined {
  const { min, max } = rangeOf(mask);
  if (min === 0 && max === 0) return 1;
  return min === 1 && max === 1 ? 2 : undefined;
}

const lazyMix = testNode({
  id: 'TestLazyMixImages',
  required: {
    image1: input('IMAGE', { lazy: true }),
    image2: input('IMAGE', { lazy: true }),
    mask: input('MASK'),
  },
  outputs: [output('IMAGE')],
  checkLazy(inputs) {
    const only = onlyOneOf(picturesOf(inputs, 'mask'));
    return ([1, 2] as const)
      .filter((number) => only === undefined || only === number)
      .map((number) => `image${number}`)
      .filter((name) => inputs[name] === undefined);
  },
  run(inputs) {
    const mask = picturesOf(inputs, 'mask');
    const only = onlyOneOf(mask);
    if (only !== undefined) return { outputs: [inputs[`image${only}`]] };
    const batches = [picturesOf(inputs, 'image1'), picturesOf(inputs, 'image2'), mask];
    return {
      outputs: [combine(batches, ([one = 0, two = 0, share = 0]) => one * (1 - share) + two * share)],
    };
  },
});

const variadicAverage = testNode({
  id: 'TestVariadicAverage',
  required: { input1: IMAGE },
  outputs: [output('IMAGE')],
  run(inputs) {
    const batches: Batch[] = [];
    for (let i = 1; Object.hasOwn(inputs, `input${i}`); i++) batches.push(picturesOf(inputs, `input${i}`));
    const mean = combine(batches, (samples) => {
      let sum = 0;
      for (let i = 0; i < samples.length; i++) sum += samples[i] ?? 0;
      return sum / samples.length;
    });
    return { outputs: [mean] };
  },
});

const customIsChanged = testNode({
  id: 'TestCustomIsChanged',
  required: { image: IMAGE },
  // No type of ComfyUI's, so that nothing coerces it.
  optional: { should_change: input('BOOL', { default: false }) },
  outputs: [output('IMAGE')],
  fingerprint: (inputs) => (inputs['should_change'] === true ? Number.NaN : false),
  run: (inputs) => ({ outputs: [inputs['image']] }),
});

const isChangedWithConstants = testNode({
  id: 'TestIsChangedWithConstants',
  required: { image: IMAGE, value: input('FLOAT', { default: 1.0, min: 0.0, max: 10.0 }) },
  outputs: [output('IMAGE')],
  // A host that hands over the linked picture makes this differ from what it was before the picture existed.
  fingerprint: (inputs) =>
    inputs['image'] === undefined ? inputs['value'] : `seen ${numberOf(inputs, 'value')}`,
  run: (inputs) => ({ outputs: [multiply(inputs['image'], inputs['value'])] }),
});

const outputWithSocket = testNode({
  id: 'TestOutputNodeWithSocketOutput',
  required: { image: IMAGE, value: input('FLOAT', { default: 1.0, min: 0.0, max: 10.0 }) },
  outputs: [output('IMAGE')],
  terminal: true,
  run: (inputs) => ({ outputs: [multiply(inputs['image'], inputs['value'])] }),
});

const dynamicCycle = testNode({
  id: 'TestDynamicDependencyCycle',
  required: { input1: IMAGE, input2: IMAGE },
  outputs: [output('IMAGE')],
  run(inputs, context) {
    const graph = buildGraph(context);
    const mask = graph.add('StubMask', { value: 0.5, ...MASK_512 }).out(0);
    const first = graph.add('TestLazyMixImages', { image1: inputs['input1'], mask });
    const second = graph.add('TestLazyMixImages', { image1: first.out(0), image2: inputs['input2'], mask });
    first.set('image2', second.out(0));
    return { outputs: [second.out(0)], expand: graph.finish() };
  },
});

const mixedExpansion = testNode({
  id: 'TestMixedExpansionReturns',
  required: { input1: input('FLOAT') },
  outputs: [output('IMAGE'), output('IMAGE')],
  run(inputs, context) {
    const value = numberOf(inputs, 'input1');
    const white = constant(1, 512, 512);
    if (value <= 0.2) return { outputs: [constant(value <= 0.1 ? 0.1 : 0.2, 512, 512), white] };
    const graph = buildGraph(context);
    const mask = graph.add('StubMask', { value: 0.3, ...MASK_512 }).out(0);
    const mix = graph.add('TestLazyMixImages', {
      image1: graph.add('StubImage', { content: 'BLACK', ...MASK_512 }).out(0),
      image2: graph.add('StubImage', { content: 'WHITE', ...MASK_512 }).out(0),
      mask,
    });
    return { outputs: [mix.out(0), white], expand: graph.finish() };
  },
});

const samplingInExpansion = testNode({
  id: 'TestSamplingInExpansion',
  required: {
    model: input('MODEL'),
    clip: input('CLIP'),
    vae: input('VAE'),
    seed: input('INT', { default: 0, min: 0, max: 2n ** 64n - 1n }),
    steps: input('INT', { default: 20, min: 1, max: 100 }),
    cfg: input('FLOAT', { default: 7.0, min: 0.0, max: 30.0 }),
    prompt: input('STRING', { multiline: true, default: '' }),
    negative_prompt: input('STRING', { multiline: true, default: '' }),
  },
  outputs: [output('IMAGE')],
  run(inputs, context) {
    const graph = buildGraph(context);
    const encode = (name: string) =>
      graph.add('CLIPTextEncode', { text: inputs[name], clip: inputs['clip'] }).out(0);
    const samples = graph.add('KSampler', {
      model: inputs['model'],
      seed: inputs['seed'],
      steps: inputs['steps'],
      cfg: inputs['cfg'],
      positive: encode('prompt'),
      negative: encode('negative_prompt'),
      latent_image: graph.add('EmptyLatentImage', MASK_512).out(0),
      sampler_name: 'euler_ancestral',
      scheduler: 'normal',
      denoise: 1,
    });
    const decoded = graph.add('VAEDecode', { samples: samples.out(0), vae: inputs['vae'] });
    return { outputs: [decoded.out(0)], expand: graph.finish() };
  },
});

/** Nodes of this file. */
export default [
  lazyMix,
  variadicAverage,
  customIsChanged,
  isChangedWithConstants,
  outputWithSocket,
  dynamicCycle,
  mixedExpansion,
  samplingInExpansion,
];
