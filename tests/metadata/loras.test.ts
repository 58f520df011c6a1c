import { expect, test } from 'vitest';
import { collectLoras } from '../../nodes/metadata/loras.ts';
import { chain, kSampler, learnGraph, node } from './graphs.ts';

const inputs = { model: ['ckpt', 0], clip: ['ckpt', 1] };
const strengths = { strength_model: 0.8, strength_clip: 0.5 };
const plain = chain(kSampler('k', 30));
const graph = {
  ...plain,
  lora: node('LoraLoader', { lora_name: 'glow.safetensors', ...strengths, ...inputs }),
  pos: node('CLIPTextEncode', { text: 'p', clip: ['lora', 1] }),
  k: node('KSampler', { ...plain['k']?.inputs, model: ['lora', 0], positive: ['pos', 0] }),
};

test('of several strengths of one entry the first counts', () => {
  const [capture] = learnGraph(graph).learnt.captures;
  const again = capture.facts.flatMap((fact) => {
    if (fact.field === 'LORA_STRENGTH_MODEL') return [{ ...fact, value: 0.1 }];
    return fact.field === 'LORA_STRENGTH_CLIP' ? [{ ...fact, value: 0.2 }] : [];
  });
  expect(again).toHaveLength(2);
  const loras = collectLoras([{ ...capture, facts: [...capture.facts, ...again] }], new Map());
  expect(loras).toEqual([{ name: 'glow', model: '0.8', clip: '0.5' }]);
});
