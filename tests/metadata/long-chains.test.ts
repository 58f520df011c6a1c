import { expect, test } from 'vitest';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { type Learnt, learn } from '../../nodes/metadata/learn.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import { contexts, loras, sharedSigmas } from '../bench/graphs.ts';
import type { RawGraph } from './graphs.ts';

function learnFrom(graph: RawGraph): { learnt: Learnt; warnings: string[] } {
  const log = createWarningLog();
  const book = createRuleBook(rulePacks);
  const options = { select: 'range', maxSamplers: 4 } as const;
  const learnt = learn(parsePromptGraph(graph, log.warn), 'save', book, options, log.warn);
  return { learnt, warnings: log.list.map(({ code, message }) => `${code}: ${message}`) };
}

test('a path of more than 128 nodes keeps its ends and says what is left out', () => {
  const { learnt } = learnFrom(loras(400));
  const [capture] = learnt.captures;
  const path = capture.facts.find(({ field }) => field === 'MODEL_NAME')?.path() ?? [];
  expect(path).toHaveLength(128);
  // The loader, the first LoRAs it feeds, the gap, the save node.
  expect(path.slice(0, 3)).toEqual(['1', '3', '4']);
  expect(path.slice(-2)).toEqual(['…', 'save']);
  const short = capture.facts.find(({ field }) => field === 'SEED')?.path();
  expect(short).toEqual(['398', '399', 'save']);
});

test('what a bundle holds is found through a thousand bundles that pass it on', () => {
  const { learnt } = learnFrom(contexts(2_007));
  const [capture] = learnt.captures;
  expect(capture.facts.find(({ field }) => field === 'MODEL_NAME')?.value).toBe('base/model_v1.safetensors');
  expect([capture.positive, capture.negative]).toEqual(['a heron', 'blur']);
});

test('bundles that run in a circle end', () => {
  const context = (base: string) => ({
    class_type: 'Context (rgthree)',
    inputs: { base_ctx: [base, 0] },
  });
  const { learnt } = learnFrom({
    a: context('b'),
    b: context('a'),
    k: { class_type: 'KSampler', inputs: { model: ['a', 1], steps: 20, sampler_name: 'euler' } },
    save: { class_type: 'SaveImage', inputs: { images: ['k', 0] } },
  });
  expect(learnt.primary?.steps).toBe(20);
});

test('sigmas through more nodes than are followed: said, not guessed', () => {
  const { learnt, warnings } = learnFrom(sharedSigmas(400));
  expect(learnt.primary?.steps).toBeUndefined();
  expect(warnings).toContain('value/unresolved: the way upstream was followed over 64 places and no further');
  expect(learnFrom(sharedSigmas(80)).learnt.primary?.steps).toBe(20);
});
