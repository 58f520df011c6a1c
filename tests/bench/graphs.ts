import type { RawGraph, RawNode } from '../metadata/graphs.ts';

/** A builder that hands out ids in order; `save` is the save node's id. */
type Draft = {
  readonly nodes: Record<string, RawNode>;
  add(classType: string, inputs: RawNode['inputs']): Link;
};
type Link = readonly [string, number];

function createDraft(): Draft {
  const nodes: Record<string, RawNode> = {};
  let next = 0;
  const add = (class_type: string, inputs: RawNode['inputs'] = {}): Link => {
    next += 1;
    nodes[next] = { class_type, inputs };
    return [String(next), 0];
  };
  return { nodes, add };
}

const slot = ([id]: Link, number: number): Link => [id, number];

/** What every graph begins with. */
function start({ add }: Draft): { model: Link; clip: Link; vae: Link; latent: Link } {
  const loader = add('CheckpointLoaderSimple', { ckpt_name: 'base/model_v1.safetensors' });
  const latent = add('EmptyLatentImage', { width: 1024, height: 1024, batch_size: 1 });
  return { model: loader, clip: slot(loader, 1), vae: slot(loader, 2), latent };
}

function finish({ nodes, add }: Draft, latent: Link, vae: Link): RawGraph {
  const images = add('VAEDecode', { samples: latent, vae });
  return { ...nodes, save: { class_type: 'SaveImage', inputs: { images, filename_prefix: 'image' } } };
}

function encode({ add }: Draft, clip: Link, text: string | Link): Link {
  return add('CLIPTextEncode', { clip, text });
}

function sample(
  { add }: Draft,
  model: Link,
  sides: readonly [Link, Link],
  latent: Link,
  steps: number,
): Link {
  return add('KSampler', {
    model,
    positive: sides[0],
    negative: sides[1],
    latent_image: latent,
    seed: 4_294_967_296 + steps,
    steps,
    cfg: 7.5,
    sampler_name: 'dpmpp_2m',
    scheduler: 'karras',
    denoise: 0.5,
  });
}

/**
 * As people stack stages: of each ten nodes one samples, three are LoRAs on the model of the stage before (every
 * tenth stage starts from the checkpoint again), two encode, one of them a text that all stages share, two combine
 * and control, one scales the latent, one previews.
 */
export function stages(size: number): RawGraph {
  const draft = createDraft();
  const { model: base, clip: baseClip, vae, latent: empty } = start(draft);
  const shared = draft.add('PrimitiveString', {
    value: 'a heron over the water, (misty:1.2), embedding:soft',
  });
  const net = draft.add('ControlNetLoader', { control_net_name: 'depth.safetensors' });
  const hint = draft.add('LoadImage', { image: 'depth.png' });
  const negative = encode(draft, baseClip, 'blur, watermark');
  let [model, clip, latent] = [base, baseClip, empty];
  for (let stage = 0; (stage + 1) * 10 <= size - 8; stage++) {
    if (stage % 10 === 0) [model, clip] = [base, baseClip];
    for (let i = 0; i < 3; i++) {
      const name = `style/lora_${(stage * 3 + i) % 40}.safetensors`;
      model = draft.add('LoraLoader', {
        model,
        clip,
        lora_name: name,
        strength_model: 0.8,
        strength_clip: 1,
      });
      clip = slot(model, 1);
    }
    const scene = encode(draft, clip, shared);
    const detail = encode(draft, clip, `stage ${stage % 50}, fine feathers`);
    const both = draft.add('ConditioningCombine', { conditioning_1: scene, conditioning_2: detail });
    const guided = draft.add('ControlNetApplyAdvanced', {
      positive: both,
      negative,
      control_net: net,
      image: hint,
      strength: 0.6,
      start_percent: 0,
      end_percent: 1,
    });
    const scaled = draft.add('LatentUpscaleBy', { samples: latent, upscale_method: 'bislerp', scale_by: 1 });
    latent = sample(draft, model, [guided, slot(guided, 1)], scaled, 20 + (stage % 7));
    draft.add('PreviewImage', { images: latent });
  }
  return finish(draft, latent, vae);
}

/** One sampler whose model went through all LoRAs. */
export function loras(size: number): RawGraph {
  const draft = createDraft();
  const { model: base, clip: baseClip, vae, latent } = start(draft);
  let [model, clip] = [base, baseClip];
  for (let i = 0; i < size - 7; i++) {
    model = draft.add('LoraLoader', {
      model,
      clip,
      lora_name: `lora_${i}.safetensors`,
      strength_model: 0.8,
      strength_clip: 1,
    });
    clip = slot(model, 1);
  }
  const sides = [encode(draft, clip, 'a heron'), encode(draft, clip, 'blur')] as const;
  return finish(draft, sample(draft, model, sides, latent, 20), vae);
}

/** One sampler whose prompt was combined again and again; half the nodes are texts. */
export function combiners(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent } = start(draft);
  let positive = encode(draft, clip, 'a heron');
  for (let i = 0; i < (size - 6) / 2; i++) {
    const next = encode(draft, clip, `and a reed ${i}`);
    positive = draft.add('ConditioningCombine', { conditioning_1: positive, conditioning_2: next });
  }
  const negative = encode(draft, clip, 'blur');
  return finish(draft, sample(draft, model, [positive, negative], latent, 20), vae);
}

/** Every node a sampler, one behind the other. */
export function samplers(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent: empty } = start(draft);
  const sides = [encode(draft, clip, 'a heron'), encode(draft, clip, 'blur')] as const;
  let latent = empty;
  for (let i = 0; i < size - 6; i++) latent = sample(draft, model, sides, latent, 10 + (i % 20));
  return finish(draft, latent, vae);
}

/** Hostile: half the nodes are samplers, and all of them take their sigmas from one chain of the other half. */
export function sharedSigmas(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent: empty } = start(draft);
  const [positive, negative] = [encode(draft, clip, 'a heron'), encode(draft, clip, 'blur')];
  const sampler = draft.add('KSamplerSelect', { sampler_name: 'euler' });
  let sigmas = draft.add('BasicScheduler', { model, scheduler: 'karras', steps: 20, denoise: 1 });
  for (let i = 0; i < (size - 8) / 2; i++) sigmas = draft.add('FlipSigmas', { sigmas });
  let latent = empty;
  for (let i = 0; i < (size - 8) / 2; i++) {
    const wiring = { model, positive, negative, sampler, sigmas, latent_image: latent };
    latent = draft.add('SamplerCustom', { ...wiring, add_noise: true, noise_seed: i, cfg: 7 });
  }
  return finish(draft, latent, vae);
}

/** Hostile: half the nodes are encoders, and all of them take their text from one chain of the other half. */
export function sharedText(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent } = start(draft);
  let text = draft.add('PrimitiveString', { value: 'a heron' });
  for (let i = 0; i < (size - 6) / 3; i++)
    text = draft.add('StringConcatenate', { string_a: text, string_b: '', delimiter: '' });
  let positive = encode(draft, clip, text);
  for (let i = 0; i < (size - 6) / 3; i++) {
    const next = encode(draft, clip, text);
    positive = draft.add('ConditioningCombine', { conditioning_1: positive, conditioning_2: next });
  }
  return finish(draft, sample(draft, model, [positive, encode(draft, clip, 'blur')], latent, 20), vae);
}

/** One sampler whose prompt went through a chain of ControlNets, a third of the nodes each: net, hint, apply. */
export function controlNets(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent } = start(draft);
  let positive = encode(draft, clip, 'a heron');
  let negative = encode(draft, clip, 'blur');
  for (let i = 0; i < (size - 7) / 3; i++) {
    const net = draft.add('ControlNetLoader', { control_net_name: `net_${i}.safetensors` });
    const image = draft.add('LoadImage', { image: `hint_${i}.png` });
    const inputs = { positive, negative, control_net: net, image };
    positive = draft.add('ControlNetApplyAdvanced', {
      ...inputs,
      strength: 0.6,
      start_percent: 0,
      end_percent: 1,
    });
    negative = slot(positive, 1);
  }
  return finish(draft, sample(draft, model, [positive, negative], latent, 20), vae);
}

/** rgthree's contexts, one on top of the other; every second node is a sampler that takes all it needs from its own. */
export function contexts(size: number): RawGraph {
  const draft = createDraft();
  const { model, clip, vae, latent: empty } = start(draft);
  const [positive, negative] = [encode(draft, clip, 'a heron'), encode(draft, clip, 'blur')];
  let context = draft.add('Context (rgthree)', { model, clip, vae, positive, negative, seed: 7 });
  let latent = empty;
  for (let i = 0; i < (size - 7) / 2; i++) {
    context = draft.add('Context (rgthree)', { base_ctx: context, latent });
    const sides = [slot(context, 4), slot(context, 5)] as const;
    latent = sample(draft, slot(context, 1), sides, slot(context, 6), 10 + (i % 20));
  }
  return finish(draft, latent, slot(context, 3));
}
