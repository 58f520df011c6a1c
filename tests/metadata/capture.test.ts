import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { allFacts } from '../../nodes/metadata/learn.ts';
import { asText } from '../../nodes/metadata/operations.ts';
import { fixtureNames, learnFixture, openFixture } from './fixture.ts';
import { advanced, chain, kSampler, learnGraph, node, type RawGraph } from './graphs.ts';

/** Every node that a node takes a link from, however far: independent of the tracer. */
function upstreamOf(graph: PromptGraph, id: string): Set<string> {
  const found = new Set<string>();
  const waiting = [id];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const { from } of graph.get(at)?.links.values() ?? []) {
      if (!found.has(from)) waiting.push(from);
      found.add(from);
    }
  }
  return found;
}

function uses(graph: PromptGraph, user: string | undefined, source: string): boolean {
  return [...(graph.get(user ?? '')?.links.values() ?? [])].some(({ from }) => from === source);
}

/** Bundles are looked into, not walked through: the path goes past them. */
const BUNDLES = /rgthree-context|comfyroll-lora-stack|easy-use|efficient-sdxl|impact|inspire|tinyterra/;

describe.each(fixtureNames)('paths in fixtures/prompts/%s', (name) => {
  const { read, about } = openFixture(name);
  const graph = parsePromptGraph(
    parseExactJson(read('prompt.json'), () => {}),
    () => {},
  );
  const facts = allFacts(learnFixture(name).learnt);

  test('lead along links from the origin of the value down to the save node', () => {
    for (const fact of facts) {
      const path = fact.path();
      expect(path.at(-1)).toBe(about.saveNode);
      expect(path).toContain(fact.nodeId);
      // Up to its node a value may come together from several texts: each of them is used further down.
      for (const [i, id] of path.slice(0, -1).entries()) {
        const below = path.slice(i + 1, Math.max(i + 2, path.indexOf(fact.nodeId) + 1));
        if (BUNDLES.test(name)) expect(below.some((user) => upstreamOf(graph, user).has(id))).toBe(true);
        else expect(below.some((user) => uses(graph, user, id))).toBe(true);
      }
    }
  });

  test('the node named holds the input named', () => {
    for (const { nodeId, classType, input, field } of facts) {
      const found = graph.get(nodeId);
      expect(found?.classType).toBe(classType);
      for (const part of input === '' ? [] : input.split('+')) {
        expect(found?.literals.has(part) || found?.links.has(part), `${field} ${nodeId}.${part}`).toBe(true);
      }
    }
  });

  test('a fact of a sampler passes that sampler', () => {
    for (const { sampler, path } of facts) if (sampler !== null) expect(path()).toContain(sampler);
  });
});

/** Samplers one behind the other, each with a model, prompts and settings of its own. */
function ownEach(count: number, shareModel: boolean): RawGraph {
  const samplers = Array.from({ length: count }, (_, i) =>
    advanced(`k${i}`, 10 * count, 10 * i, 10 * (i + 1)),
  );
  const graph: Record<string, ReturnType<typeof node>> = { ...chain(...samplers) };
  for (let i = 0; i < count; i++) {
    const model = shareModel ? 'ckpt' : `m${i}`;
    graph[`m${i}`] = node('CheckpointLoaderSimple', { ckpt_name: `m${i}.safetensors` });
    graph[`l${i}`] = node('LoraLoaderModelOnly', {
      lora_name: `l${i}.safetensors`,
      strength_model: i,
      model: [model, 0],
    });
    graph[`p${i}`] = node('CLIPTextEncode', { text: `positive ${i}`, clip: [model, 1] });
    graph[`n${i}`] = node('CLIPTextEncode', { text: `negative ${i}`, clip: [model, 1] });
    graph[`k${i}`] = node('KSamplerAdvanced', {
      ...graph[`k${i}`]?.inputs,
      noise_seed: 100 + i,
      cfg: i,
      model: [`l${i}`, 0],
      positive: [`p${i}`, 0],
      negative: [`n${i}`, 0],
    });
  }
  return graph;
}

describe('each sampler has its own', () => {
  test('model, LoRA, prompts, seed and CFG, however many there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.boolean(), (count, shareModel) => {
        const { captures } = learnGraph(ownEach(count, shareModel), { maxSamplers: 9 }).learnt;
        expect(captures).toHaveLength(count);
        for (const { nodeId, positive, negative, facts } of captures) {
          const i = Number(nodeId?.slice(1));
          const values = (field: string) =>
            facts.filter((fact) => fact.field === field).map((fact) => asText(fact.value));
          expect([positive, negative]).toEqual([`positive ${i}`, `negative ${i}`]);
          expect(values('SEED')).toEqual([String(100 + i)]);
          expect(values('CFG')).toEqual([String(i)]);
          expect(values('LORA_MODEL_NAME')).toEqual([`l${i}.safetensors`]);
          expect(values('LORA_STRENGTH_MODEL')).toEqual([String(i)]);
          expect(values('MODEL_NAME')).toEqual([shareModel ? 'base.safetensors' : `m${i}.safetensors`]);
          expect(new Set(facts.map(({ sampler }) => sampler))).toEqual(new Set([nodeId]));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('a strength without a file tells nothing, and "None" is no file', () => {
    const graph = ownEach(1, true);
    const inputs = { ...graph['l0']?.inputs, lora_name: 'None' };
    const { facts } = learnGraph({ ...graph, l0: node('LoraLoaderModelOnly', inputs) }).learnt.captures[0];
    expect(facts.filter(({ field }) => field.startsWith('LORA'))).toEqual([]);
  });

  test('embeddings are named by prompts as ComfyUI reads them', () => {
    const text =
      'embedding:easy, (embedding:sub/Deep.pt:1.2) xembedding:no embedding: [embedding:x] embedding:EASY';
    const graph = { ...chain(kSampler('k', 5)), pos: node('CLIPTextEncode', { text, clip: ['ckpt', 1] }) };
    const { facts } = learnGraph(graph).learnt.captures[0];
    const named = facts.filter(({ field }) => field === 'EMBEDDING_NAME').map(({ value }) => value);
    expect(named).toEqual(['easy', 'sub/Deep.pt']);
  });
});
