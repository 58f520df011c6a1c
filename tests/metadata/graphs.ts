import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { Warning } from '../../nodes/kit/warnings.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { type LearnOptions, type Learnt, learn } from '../../nodes/metadata/learn.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import type { NodeRule, RulePack } from '../../rules/define.ts';
import { rulePacks } from '../../rules/index.gen.ts';

/** A node of a prompt graph, as clients send it. */
export type RawNode = { readonly class_type: string; readonly inputs?: Readonly<Record<string, unknown>> };
export type RawGraph = Readonly<Record<string, RawNode>>;

export function node(classType: string, inputs: Readonly<Record<string, unknown>> = {}): RawNode {
  return { class_type: classType, inputs };
}

const TAKES = { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' } as const;
const NAME = { SAMPLER_NAME: { input: 'sampler_name' } } as const;
const STEPS = { STEPS: { input: 'steps' } } as const;
const RANGE = { START_STEP: { input: 'start' }, END_STEP: { input: 'end' } } as const;
const INCLUSIVE = {
  START_STEP: { input: 'start' },
  END_STEP: { input: 'end', ends: 'inclusive' },
} as const;

/** Samplers that only their rules make samplers: made up, one for each way a rule can tell of steps. */
const MADE_UP: Readonly<Record<string, NodeRule>> = {
  RuledSteps: { role: 'latent', takes: TAKES, puts: ['latent'], reads: { ...NAME, ...STEPS } },
  RuledSegment: { role: 'latent', takes: TAKES, puts: ['latent'], reads: { ...NAME, ...STEPS, ...RANGE } },
  RuledInclusive: {
    role: 'latent',
    takes: TAKES,
    puts: ['latent'],
    reads: { ...NAME, ...STEPS, ...INCLUSIVE },
  },
  /** Names a sampler, but says nothing of steps. */
  RuledNameOnly: { role: 'latent', takes: TAKES, puts: ['latent'], reads: NAME },
  /** Says steps, but names no sampler. */
  RuledStepsOnly: { role: 'latent', takes: TAKES, puts: ['latent'], reads: STEPS },
  /** Name and steps, yet neither a latent comes out nor a model goes in. */
  RuledNote: { role: 'value', takes: { image: 'image' }, reads: { ...NAME, ...STEPS } },
};

const madeUpPack: RulePack = { pack: 'made-up', source: 'made up for these tests', nodes: MADE_UP };

/** A sampler of a chain, by id; `inputs` beside those that wire it. */
export type ChainLink = {
  readonly id: string;
  readonly classType: string;
  readonly inputs: Readonly<Record<string, unknown>>;
};

/** KSampler with what it needs. */
export function kSampler(id: string, steps: number, samplerName = 'euler'): ChainLink {
  const inputs = {
    seed: 7,
    steps,
    cfg: 5,
    sampler_name: samplerName,
    scheduler: 'normal',
    denoise: 1,
  };
  return { id, classType: 'KSampler', inputs };
}

/** KSamplerAdvanced; `end` is exclusive, as ComfyUI's is. */
export function advanced(id: string, steps: number, start: number, end: number, name = 'euler'): ChainLink {
  const inputs = { noise_seed: 7, steps, cfg: 5, sampler_name: name, scheduler: 'normal' };
  return { id, classType: 'KSamplerAdvanced', inputs: { ...inputs, start_at_step: start, end_at_step: end } };
}

/** A made-up sampler that its rule alone makes one. */
export function ruled(
  kind: 'RuledSteps' | 'RuledSegment' | 'RuledInclusive' | 'RuledNameOnly' | 'RuledStepsOnly',
  id: string,
  inputs: Readonly<Record<string, unknown>>,
): ChainLink {
  return { id, classType: kind, inputs: { sampler_name: 'heun', ...inputs } };
}

/** Loader, prompts and an empty latent, these samplers one behind the other, decode, save. The save node is `save`. */
export function chain(...samplers: readonly ChainLink[]): RawGraph {
  const graph: Record<string, RawNode> = {
    ckpt: node('CheckpointLoaderSimple', { ckpt_name: 'base.safetensors' }),
    pos: node('CLIPTextEncode', { text: 'a heron', clip: ['ckpt', 1] }),
    neg: node('CLIPTextEncode', { text: 'blur', clip: ['ckpt', 1] }),
    empty: node('EmptyLatentImage', { width: 64, height: 48, batch_size: 1 }),
  };
  let before = 'empty';
  for (const { id, classType, inputs } of samplers) {
    graph[id] = node(classType, {
      ...inputs,
      model: ['ckpt', 0],
      positive: ['pos', 0],
      negative: ['neg', 0],
      latent_image: [before, 0],
    });
    before = id;
  }
  graph['decode'] = node('VAEDecode', { samples: [before, 0], vae: ['ckpt', 2] });
  graph['save'] = node('SaveImage', { filename_prefix: 'x', images: ['decode', 0] });
  return graph;
}

export const ruleBook = createRuleBook([...rulePacks, madeUpPack]);

export type Learning = {
  readonly learnt: Learnt;
  readonly warnings: readonly Warning[];
  readonly debug: readonly string[];
};

/** Parse, trace and capture with the packs and the made-up samplers. */
export function learnGraph(
  prompt: unknown,
  options: Partial<LearnOptions> = {},
  saveNode = 'save',
): Learning {
  const { warn, list } = createWarningLog();
  const debug: string[] = [];
  const graph = parsePromptGraph(prompt, warn);
  const learnt = learn(
    graph,
    saveNode,
    ruleBook,
    { select: 'range', maxSamplers: 4, debug: (line) => debug.push(line), ...options },
    warn,
  );
  return { learnt, warnings: list, debug };
}

/** The codes of warnings, in the order they came. */
export function codes(warnings: readonly Warning[]): string[] {
  return warnings.map(({ code }) => code);
}
