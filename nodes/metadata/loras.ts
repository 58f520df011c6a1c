import type { CivitaiVersion } from '../kit/host.ts';
import type { CapturedFact, SamplerCapture } from './capture.ts';
import { asText } from './operations.ts';
import { fileStem } from './plain-text.ts';
import { type Resources, resourceOf } from './resolve.ts';

/** A LoRA as the details line tells of it; strengths as the graph spells them. */
export type Lora = {
  readonly name: string;
  readonly model?: string;
  readonly clip?: string;
  readonly hash?: string;
  readonly civitai?: CivitaiVersion;
};

/** LoRAs in the order they are applied, each entry of each loader once, however many samplers share it. */
export function collectLoras(captures: readonly SamplerCapture[], resources: Resources): Lora[] {
  const loras = new Map<string, Lora>();
  for (const { facts } of captures) {
    const strengths = strengthsByEntry(facts);
    for (const fact of inOrderApplied(facts.filter(({ field }) => field === 'LORA_MODEL_NAME'))) {
      const { model, clip } = strengths.get(entryOf(fact)) ?? {};
      const resource = resourceOf(fact, resources);
      const hash = resource?.hashes?.autoV2;
      const civitai = resource?.civitai;
      const name = fileStem(asText(fact.value));
      const entry = entryOf(fact);
      if (!loras.has(entry))
        loras.set(entry, {
          name,
          ...(model && { model }),
          ...(clip && { clip }),
          ...(hash && { hash }),
          ...(civitai && { civitai }),
        });
    }
  }
  return [...loras.values()];
}

/** A chain of LoRAs may be long: each strength is looked up, not searched for. The first of an entry counts. */
function strengthsByEntry(facts: readonly CapturedFact[]): ReadonlyMap<string, Strengths> {
  const strengths = new Map<string, Strengths>();
  for (const fact of facts) {
    if (fact.field !== 'LORA_STRENGTH_MODEL' && fact.field !== 'LORA_STRENGTH_CLIP') continue;
    const entry = entryOf(fact);
    const known = strengths.get(entry) ?? {};
    strengths.set(entry, known);
    if (fact.field === 'LORA_STRENGTH_MODEL') known.model ??= asText(fact.value);
    else known.clip ??= asText(fact.value);
  }
  return strengths;
}

type Strengths = { model?: string; clip?: string };

/** The entry of a node that a fact tells of: a stack of LoRAs has several. */
export function entryOf({ nodeId, item }: CapturedFact): string {
  return `${nodeId}\n${item}`;
}

/** One number for a LoRA, where only one can be shown. */
export function strengthOf({ model, clip }: Lora): string {
  return model ?? clip ?? '1';
}

/** The same as a number; undefined where only a run could tell. */
export function weightOf(lora: Lora): number | undefined {
  const weight = Number(strengthOf(lora));
  return Number.isFinite(weight) ? weight : undefined;
}

/**
 * Quoted and flat, as A1111 writes ControlNet units. No key of a line of its own may hold `Model` or `_`: some
 * readers search the whole line for keys, and would take a LoRA's name or hash for the model's.
 */
export function loraDetail({ name, model, clip }: Lora): string {
  const parts = [`Name: ${name}`];
  if (model !== undefined) parts.push(`Strength model: ${model}`);
  if (clip !== undefined) parts.push(`Strength clip: ${clip}`);
  return `"${parts.join(', ')}"`;
}

/** Facts come nearest to the sampler first; nodes are applied farthest first, the entries of one node in order. */
export function inOrderApplied(facts: readonly CapturedFact[]): CapturedFact[] {
  const byNode = Map.groupBy(facts, (fact) => fact.nodeId);
  return [...byNode.values()].reverse().flat();
}

/** Civitai's pattern for `<lora:NAME:WEIGHT>` knows only these characters. */
export function promptAlias(name: string): string {
  return name.replace(/[^\w.-]/g, '_');
}
