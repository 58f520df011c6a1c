import type { MetaField } from '../../rules/define.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { CapturedFact, SamplerCapture } from './capture.ts';
import { civitaiResources } from './civitai-resources.ts';
import type { DetailKey } from './detail-keys.ts';
import { numberOf } from './facts.ts';
import { type Detail, isBuiltIn, type Parameters } from './infotext.ts';
import { allFacts, type Learnt } from './learn.ts';
import {
  collectLoras,
  entryOf,
  inOrderApplied,
  type Lora,
  loraDetail,
  promptAlias,
  strengthOf,
  weightOf,
} from './loras.ts';
import { asText } from './operations.ts';
import type { Size } from './picture-size.ts';
import { cleanPrompt, cleanValue, fileStem } from './plain-text.ts';
import { type Resource, type Resources, resourceOf } from './resolve.ts';
import { toA1111Sampler, toCivitaiSampler, toScheduleType } from './sampler-names.ts';
import { samplerDetail, samplerTail } from './sampler-text.ts';

/** What the person saving may choose. */
export type ParameterOptions = {
  /** The picture's real size; wins over what the graph says. */
  readonly size?: Size;
  /** `DPM++ 2M Karras` in one key, as Civitai names samplers. */
  readonly civitaiSampler?: boolean;
  /** Writes distilled guidance as the CFG scale. */
  readonly guidanceAsCfg?: boolean;
  /** Adds `LoRAs: name (0.8)`. */
  readonly loraSummary?: boolean;
  /** Appends `<lora:name:0.8>` to the positive prompt. */
  readonly loraStrengthsInPrompt?: boolean;
  /** Keys of the user's own. */
  readonly extra?: ReadonlyMap<string, string>;
  readonly batch?: { readonly index: number; readonly size: number };
};

/**
 * Capture to infotext, in the order and quoting of A1111 and Civitai. Absent facts are left out; no placeholder
 * is ever written. The text speaks of the primary sampler; what only others use stands in the tables of hashes.
 *
 * @see https://github.com/AUTOMATIC1111/stable-diffusion-webui (infotext) for the line format
 */
export function toParameters(
  learnt: Learnt,
  resources: Resources,
  options: ParameterOptions,
  warn: WarningSink,
): Parameters {
  const { captures, samplers } = learnt;
  const [first] = captures;
  const loras = collectLoras([first], resources);
  const own = [
    ...samplingDetails(learnt, options),
    ...pictureDetails(learnt, resources, options),
    ...modelDetails(learnt, loras, options),
    ...present([['Lora hashes', loraHashes(collectLoras(captures, resources), options)]]),
  ];
  const several = samplers.length > 1;
  const trailing = present([
    ['Civitai resources', civitaiResources(allFacts(learnt), collectLoras(captures, resources), resources)],
    ['Version', 'ComfyUI'],
    ['Samplers', several ? samplerTail(samplers) : undefined],
    ['Samplers detail', several ? samplerDetail(samplers) : undefined],
  ]);
  // A sampler that takes no text (image to video) shows the words of the one that made its picture.
  const { positive, negative } = captures.find(hasPrompt) ?? first;
  const tags = options.loraStrengthsInPrompt
    ? loras.map((lora) => `<lora:${promptAlias(lora.name)}:${strengthOf(lora)}>`)
    : [];
  return {
    positive: [cleanPrompt(positive, 'positive prompt', warn), ...tags]
      .filter((part) => part !== '')
      .join(' '),
    negative: cleanPrompt(negative, 'negative prompt', warn),
    details: [...own, ...ownKeys(options.extra, own, warn), ...trailing],
    hashes: collectHashes(learnt, resources),
  };
}

/** A detail under a key that we write; any other key is the user's. */
type OwnDetail = Detail<DetailKey>;

/** Pairs that have a value, as details. */
function present(pairs: readonly (readonly [key: DetailKey, value: string | undefined])[]): OwnDetail[] {
  return pairs.flatMap(([key, value]) => (value === undefined || value === '' ? [] : [{ key, value }]));
}

/** The nearest value of a field as the details line holds it. */
function textOf(facts: readonly CapturedFact[], field: MetaField): string | undefined {
  const fact = facts.find((each) => each.field === field);
  return fact && cleanValue(asText(fact.value));
}

/** How the primary sampler ran. */
function samplingDetails({ captures: [{ facts }], primary }: Learnt, options: ParameterOptions): OwnDetail[] {
  const text = (field: MetaField): string | undefined => textOf(facts, field);
  // A rule may know only start and end; without any `Steps` no reader would find the line.
  const ran = primary?.rangeLen ? String(primary.rangeLen) : undefined;
  const steps = primary?.steps === undefined ? (text('STEPS') ?? ran) : String(primary.steps);
  const sampler = primary?.samplerName ?? text('SAMPLER_NAME');
  const scheduler = primary?.scheduler ?? text('SCHEDULER');
  const named =
    options.civitaiSampler && sampler
      ? toCivitaiSampler(sampler, scheduler)
      : sampler && toA1111Sampler(sampler);
  const schedule = options.civitaiSampler && sampler ? undefined : scheduler && toScheduleType(scheduler);
  const guidance = text('GUIDANCE');
  return present([
    ['Steps', steps],
    ['Sampler', named && cleanValue(named)],
    ['Schedule type', schedule && cleanValue(schedule)],
    ['CFG scale', options.guidanceAsCfg ? (guidance ?? text('CFG')) : text('CFG')],
    ['Distilled CFG Scale', options.guidanceAsCfg ? undefined : guidance],
    ['Seed', text('SEED')],
  ]);
}

/** What was made of which files, and how large. */
function pictureDetails(
  { captures: [{ facts }], picture }: Learnt,
  resources: Resources,
  options: ParameterOptions,
): OwnDetail[] {
  const size = options.size ?? picture.size;
  const model = facts.find(({ field }) => field === 'MODEL_NAME');
  const vae = [...picture.facts, ...facts].find(({ field }) => field === 'VAE_NAME');
  const denoise = numberIn(facts, 'DENOISE');
  const clipSkip = numberIn(facts, 'CLIP_SKIP');
  const inGraph = numberIn(picture.facts, 'BATCH_SIZE');
  const batchSize = options.batch?.size ?? (inGraph !== undefined && inGraph > 1 ? inGraph : undefined);
  return present([
    ['Size', size && `${size.width}x${size.height}`],
    ['Model hash', model && resourceOf(model, resources)?.hashes?.autoV2],
    ['Model', model && fileStem(asText(model.value))],
    ['VAE hash', vae && resourceOf(vae, resources)?.hashes?.autoV2],
    ['VAE', vae && fileStem(asText(vae.value))],
    ['Denoising strength', denoise !== undefined && denoise < 1 ? textOf(facts, 'DENOISE') : undefined],
    ['Clip skip', clipSkip !== undefined && clipSkip > 1 ? textOf(facts, 'CLIP_SKIP') : undefined],
    ['Batch index', options.batch && String(options.batch.index)],
    ['Batch size', batchSize === undefined ? undefined : String(batchSize)],
  ]);
}

function numberIn(facts: readonly CapturedFact[], field: MetaField): number | undefined {
  const fact = facts.find((each) => each.field === field);
  return fact && numberOf(fact.value);
}

/** What else shaped the model and its conditioning. */
function modelDetails(
  { captures: [capture], picture }: Learnt,
  loras: readonly Lora[],
  options: ParameterOptions,
): OwnDetail[] {
  const text = (field: MetaField): string | undefined => textOf(capture.facts, field);
  const upscaler = picture.facts.find((fact) => fact.field === 'UPSCALE_MODEL_NAME');
  const summary = loras.map((lora) => `${lora.name} (${strengthOf(lora)})`).join(' | ');
  return present([
    ['Weight dtype', text('WEIGHT_DTYPE') === 'default' ? undefined : text('WEIGHT_DTYPE')],
    ['Shift', text('SHIFT')],
    ['Max shift', text('MAX_SHIFT')],
    ['Base shift', text('BASE_SHIFT')],
    ['Upscaler', upscaler && fileStem(asText(upscaler.value))],
    ...controlNets(capture).map((value, index) => [`ControlNet ${index}`, value] as const),
    ...loras.map((lora, index) => [`LoRA ${index}`, loraDetail(lora)] as const),
    ['Text encoders', distinctStems(capture, 'CLIP_MODEL_NAME').join(' | ')],
    ['LoRAs', options.loraSummary ? summary : undefined],
  ]);
}

/**
 * A LoRA that is named in `Civitai resources` with its weight is none of them: Civitai takes each of these for one of
 * weight 1.0 that came beside. Its hash stands in `Hashes` as well.
 *
 * @see https://github.com/civitai/civitai/blob/481f4bbf/prisma/programmability/get_image_resources.sql
 */
function isHashedApart(lora: Lora, isTagged: boolean): boolean {
  return isTagged || lora.civitai === undefined || weightOf(lora) === undefined;
}

/** `"name: hash, name: hash"`; the name is the one in the prompt's tags where there are tags. */
function loraHashes(
  loras: readonly Lora[],
  { loraStrengthsInPrompt: tagged = false }: ParameterOptions,
): string | undefined {
  const hashes = new Map(
    loras
      .filter((lora) => isHashedApart(lora, tagged))
      .flatMap(({ name, hash }) => (hash ? [[tagged ? promptAlias(name) : name, hash]] : [])),
  );
  return hashes.size === 0
    ? undefined
    : `"${[...hashes].map(([name, hash]) => `${name}: ${hash}`).join(', ')}"`;
}

function hasPrompt({ facts }: SamplerCapture): boolean {
  return facts.some(({ field }) => field === 'POSITIVE_PROMPT' || field === 'NEGATIVE_PROMPT');
}

/**
 * In the order they are applied; the strength is that of the node which applies the model. A model that is loaded
 * once may be applied several times.
 */
function controlNets({ facts }: SamplerCapture): string[] {
  const applied = inOrderApplied(facts.filter(({ field }) => field === 'CONTROLNET_STRENGTH'));
  const strengths = new Map(applied.map((fact) => [fact.nodeId, fact]));
  const names = inOrderApplied(facts.filter(({ field }) => field === 'CONTROLNET_NAME'));
  const [only, ...others] = names;
  if (only && others.length === 0 && applied.length > 0)
    return applied.map((strength) => controlNet(only, strength));
  // A stack says strengths beside its names.
  const entries = new Map(applied.map((fact) => [entryOf(fact), fact]));
  return names.map((fact) => {
    const own = entries.get(entryOf(fact));
    if (own) return controlNet(fact, own);
    const applier = fact.path().find((id) => strengths.has(id));
    return controlNet(fact, applier === undefined ? undefined : strengths.get(applier));
  });
}

function controlNet(name: CapturedFact, strength: CapturedFact | undefined): string {
  const model = fileStem(asText(name.value));
  return strength ? `"Name: ${model}, Weight: ${asText(strength.value)}"` : `"Name: ${model}"`;
}

function distinctStems({ facts: own }: SamplerCapture, field: MetaField): string[] {
  const facts = own.filter((fact) => fact.field === field);
  return [...new Set(facts.map((fact) => fileStem(asText(fact.value))))];
}

function collectHashes({ captures, picture }: Learnt, resources: Resources): Map<string, string> {
  const hashes = new Map<string, string>();
  const facts = [...captures.flatMap((capture) => capture.facts), ...picture.facts];
  for (const fact of facts) {
    const resource = resourceOf(fact, resources);
    const hash = resource?.hashes?.autoV2;
    if (!resource || !hash) continue;
    const stem = fileStem(resource.name);
    const key = hashKey(resource, stem, hashes.get('model') !== undefined);
    if (key && !hashes.has(key) && hashes.get(resource.kind) !== hash) hashes.set(key, hash);
  }
  return hashes;
}

function hashKey({ kind }: Resource, stem: string, modelTaken: boolean): string | undefined {
  if (kind === 'model') return modelTaken ? `model:${stem}` : 'model';
  if (kind === 'vae') return 'vae';
  return kind === 'lora' || kind === 'embed' ? `${kind}:${stem}` : undefined;
}

/** The user's own keys, alphabetical, in a form that breaks no reader. */
function ownKeys(
  extra: ReadonlyMap<string, string> | undefined,
  details: readonly Detail[],
  warn: WarningSink,
): Detail[] {
  const kept = new Map<string, string>();
  for (const [rawKey, rawValue] of extra ?? []) {
    const key = rawKey
      .replace(/[^\p{L}\p{N}_ /-]+/gu, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    const value = cleanValue(rawValue);
    if (key !== rawKey || value !== rawValue) warn('value/cleaned', `written as ${key}: ${value}`, rawKey);
    // Civitai cuts the whole line at these words; a second key of the same name would hide ours.
    const refused = /(Resources|Hashed prompt|Hashed Negative prompt)$/i.test(key) || isBuiltIn(key);
    const taken = details.some((detail) => detail.key.toLowerCase() === key.toLowerCase());
    if (refused || taken)
      warn('value/cleaned', `${key} is a key that readers reserve; it was left out`, rawKey);
    else if (key !== '' && value !== '') kept.set(key, value);
  }
  return [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }));
}
