import { expect, test } from 'vitest';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import { node } from './graphs.ts';

const BASE = {
  ckpt: node('CheckpointLoaderSimple', { ckpt_name: 'a.safetensors' }),
  latent: node('EmptyLatentImage', { width: 512, height: 512, batch_size: 1 }),
  neg: node('CLIPTextEncode', { text: 'n', clip: ['ckpt', 1] }),
  vae: node('VAEDecode', { samples: ['k', 0], vae: ['ckpt', 2] }),
  save: node('SaveImage', { images: ['vae', 0], filename_prefix: 'x' }),
};
const kSampler = (links: Readonly<Record<string, unknown>>) =>
  node('KSampler', {
    seed: 1,
    steps: 20,
    cfg: 7,
    sampler_name: 'euler',
    scheduler: 'normal',
    denoise: 1,
    negative: ['neg', 0],
    latent_image: ['latent', 0],
    ...links,
  });

function textOf(nodes: Readonly<Record<string, unknown>>): string {
  const options = { select: 'range', maxSamplers: 4 } as const;
  const graph = parsePromptGraph({ ...BASE, ...nodes }, () => {});
  const learnt = learn(graph, 'save', createRuleBook(rulePacks), options, () => {});
  return renderParameters(toParameters(learnt, new Map(), {}, () => {}));
}

const lora = (model: string, clip: string) =>
  node('LoraLoader', {
    lora_name: 'x.safetensors',
    strength_model: 0.5,
    strength_clip: 0.25,
    model: [model, 0],
    clip: [clip, 1],
  });

test('one LoRA in two loaders of a chain is applied twice', () => {
  const text = textOf({
    l1: lora('ckpt', 'ckpt'),
    l2: lora('l1', 'l1'),
    pos: node('CLIPTextEncode', { text: 'p', clip: ['l2', 1] }),
    k: kSampler({ model: ['l2', 0], positive: ['pos', 0] }),
  });
  expect(text.match(/LoRA \d: "Name: x, Strength model: 0.5, Strength clip: 0.25"/g)).toHaveLength(2);
});

test('a LoRA tells only of the strength that takes effect', () => {
  const text = textOf({
    l1: lora('ckpt', 'ckpt'),
    pos: node('CLIPTextEncode', { text: 'p', clip: ['l1', 1] }),
    k: kSampler({ model: ['ckpt', 0], positive: ['pos', 0] }),
  });
  expect(text).toContain('LoRA 0: "Name: x, Strength clip: 0.25"');
});

test('one ControlNet that is loaded once and applied twice', () => {
  const apply = (conditioning: string, strength: number) =>
    node('ControlNetApply', {
      conditioning: [conditioning, 0],
      control_net: ['net', 0],
      image: ['img', 0],
      strength,
    });
  const text = textOf({
    net: node('ControlNetLoader', { control_net_name: 'c.safetensors' }),
    img: node('LoadImage', { image: 'pose.png' }),
    pos: node('CLIPTextEncode', { text: 'p', clip: ['ckpt', 1] }),
    a1: apply('pos', 0.7),
    a2: apply('a1', 0.3),
    k: kSampler({ model: ['ckpt', 0], positive: ['a2', 0] }),
  });
  expect(text).toContain('ControlNet 0: "Name: c, Weight: 0.7", ControlNet 1: "Name: c, Weight: 0.3"');
});
