import type { MetaField } from '../../rules/define.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { CapturedFact, SamplerCapture } from './capture.ts';
import { stringifyAscii } from './exact-json.ts';
import { numberOf } from './facts.ts';
import type { Learnt } from './learn.ts';
import { asText } from './operations.ts';
import type { Size } from './picture-size.ts';
import { cleanPrompt, cleanValue, fileStem } from './plain-text.ts';
import { type Resource, type Resources, resourceOf } from './resolve.ts';
import { toA1111Sampler, toCivitaiSampler, toScheduleType } from './sampler-names.ts';
import { samplerDetail, samplerTail } from './sampler-text.ts';

/** One `Key: value` of the details line; the value is already written as the line holds it. */
export type Detail = { readonly key: string; readonly value: string };

/** The parts of an A1111 infotext, kept apart so that a small budget can leave some out. */
export type Parameters = {
  readonly positive: string;
  readonly negative: string;
  /** In the order they are written; without `Hashes`, which is kept apart. */
  readonly details: readonly Detail[];
  /** Civitai's `Hashes`: `model`, `vae`, `lora:NAME`, `embed:NAME` to AutoV2. */
  readonly hashes: ReadonlyMap<string, string>;
};

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

type Lora = {
  readonly name: string;
  readonly model?: string;
  readonly clip?: string;
  readonly hash?: string;
};

/** Key that carries the record of what did not fit; always last. */
export const STAGE_KEY = 'Metadata Fallback';
/** Behind the user's own keys, in this order. */
export const TRAILING_KEYS = ['Version', 'Samplers', 'Samplers detail', STAGE_KEY] as const;

/**
 * Capture to infotext, in the order and quoting of A1111 and Civitai. Absent facts are left out; no placeholder
 * is ever written.
 *
 * @see https://github.com/AUTOMATIC1111/stable-diffusion-webui (infotext) for the line format
 */
export function toParameters(
  learnt: Learnt,
  resources: Resources,
  options: ParameterOptions,
  warn: WarningSink,
): Parameters {
  const [first] = learnt.captures;
  const { picture, primary, samplers } = learnt;
  const own = (field: MetaField): CapturedFact | undefined =>
    first.facts.find((fact) => fact.field === field);
  const text = (field: MetaField): string | undefined => {
    const fact = own(field);
    return fact && cleanValue(asText(fact.value));
  };
  const size = options.size ?? picture.size;
  const vae = picture.facts.find((fact) => fact.field === 'VAE_NAME') ?? own('VAE_NAME');
  // The text speaks of the primary sampler; the others' LoRAs appear only in the tables of hashes.
  const loras = collectLoras([first], resources);
  const sampler = primary?.samplerName ?? text('SAMPLER_NAME');
  const scheduler = primary?.scheduler ?? text('SCHEDULER');
  const guidance = text('GUIDANCE');
  // A rule may know only start and end; without any `Steps` no reader would find the line.
  const ran = primary?.rangeLen ? String(primary.rangeLen) : undefined;
  const steps = primary?.steps === undefined ? (text('STEPS') ?? ran) : String(primary.steps);

  // A sampler that takes no text (image to video) shows the words of the one that made its picture.
  const prompted = learnt.captures.find(hasPrompt) ?? first;

  const details: Detail[] = [];
  const add = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') details.push({ key, value });
  };
  add('Steps', steps);
  if (options.civitaiSampler && sampler) add('Sampler', cleanValue(toCivitaiSampler(sampler, scheduler)));
  else {
    add('Sampler', sampler && cleanValue(toA1111Sampler(sampler)));
    add('Schedule type', scheduler && cleanValue(toScheduleType(scheduler)));
  }
  add('CFG scale', options.guidanceAsCfg ? (guidance ?? text('CFG')) : text('CFG'));
  add('Distilled CFG Scale', options.guidanceAsCfg ? undefined : guidance);
  add('Seed', text('SEED'));
  add('Size', size && `${size.width}x${size.height}`);
  addFile(add, 'Model', own('MODEL_NAME'), resources);
  addFile(add, 'VAE', vae, resources);
  const denoise = own('DENOISE');
  if (denoise && numberOf(denoise.value) < 1) add('Denoising strength', text('DENOISE'));
  const clipSkip = own('CLIP_SKIP');
  if (clipSkip && numberOf(clipSkip.value) > 1) add('Clip skip', text('CLIP_SKIP'));
  const batchSize = picture.facts.find((fact) => fact.field === 'BATCH_SIZE');
  if (options.batch) {
    add('Batch index', String(options.batch.index));
    add('Batch size', String(options.batch.size));
  } else if (batchSize && numberOf(batchSize.value) > 1) add('Batch size', asText(batchSize.value));
  if (text('WEIGHT_DTYPE') !== 'default') add('Weight dtype', text('WEIGHT_DTYPE'));
  add('Shift', text('SHIFT'));
  add('Max shift', text('MAX_SHIFT'));
  add('Base shift', text('BASE_SHIFT'));
  const upscaler = picture.facts.find((fact) => fact.field === 'UPSCALE_MODEL_NAME');
  add('Upscaler', upscaler && fileStem(asText(upscaler.value)));
  for (const [index, value] of controlNets(first).entries()) add(`ControlNet ${index}`, value);
  for (const [index, lora] of loras.entries()) add(`LoRA ${index}`, loraDetail(lora));
  add('Text encoders', distinctStems(first, 'CLIP_MODEL_NAME').join(' | '));
  if (options.loraSummary)
    add('LoRAs', loras.map((lora) => `${lora.name} (${lora.model ?? lora.clip ?? '1'})`).join(' | '));

  const inPrompt = options.loraStrengthsInPrompt === true;
  const hashed = new Map(collectLoras(learnt.captures, resources).map((lora) => [lora.name, lora.hash]));
  const named = [...hashed].flatMap(([name, hash]) =>
    hash ? [`${inPrompt ? promptAlias(name) : name}: ${hash}`] : [],
  );
  add('Lora hashes', named.length === 0 ? undefined : `"${named.join(', ')}"`);
  for (const [key, value] of ownKeys(options.extra, details, warn)) add(key, value);
  add('Version', 'ComfyUI');
  if (samplers.length > 1) {
    add('Samplers', samplerTail(samplers));
    add('Samplers detail', samplerDetail(samplers));
  }
  const tags = inPrompt
    ? loras.map((lora) => `<lora:${promptAlias(lora.name)}:${lora.model ?? lora.clip ?? '1'}>`)
    : [];
  return {
    positive: [cleanPrompt(prompted.positive, 'positive prompt', warn), ...tags]
      .filter((part) => part !== '')
      .join(' '),
    negative: cleanPrompt(prompted.negative, 'negative prompt', warn),
    details,
    hashes: collectHashes(learnt, resources),
  };
}

/**
 * The infotext: prompt lines, `Negative prompt:` line, one details line. An empty prompt leaves its line empty:
 * ComfyUI's import looks for a line break before `Negative prompt:`. Empty where nothing is known.
 */
export function renderParameters(parameters: Parameters): string {
  const { positive, negative } = parameters;
  if (isEmpty(parameters)) return '';
  // Two readers give a text that begins with a brace up as JSON; all of them strip the space again.
  const shown = positive.startsWith('{') ? ` ${positive}` : positive;
  return [shown, `Negative prompt: ${negative}`, detailParts(parameters).join(', ')].join('\n');
}

/** What is true of any picture. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['Size', 'Batch index', 'Batch size', 'Version']);

/** Nothing is known: then no text is better than one that says so. */
function isEmpty({ positive, negative, details, hashes }: Parameters): boolean {
  return (
    positive === '' &&
    negative === '' &&
    hashes.size === 0 &&
    details.every(({ key }) => SAYS_NOTHING.has(key))
  );
}

/** One key a line, to compare by eye in tests. Never embedded: Civitai and A1111 read a single details line. */
export function renderMultiline(parameters: Parameters): string {
  const { positive, negative } = parameters;
  return [positive, `Negative prompt: ${negative}`, ...detailParts(parameters)].join('\n');
}

/** `Hashes` stands where A1111 puts its extra tables: behind `Lora hashes`, before keys of the user's own. */
function detailParts({ details, hashes }: Parameters): string[] {
  const parts = details.map(({ key, value }) => `${key}: ${value}`);
  if (hashes.size === 0) return parts;
  const behind = details.findIndex(({ key }) => key === 'Lora hashes');
  const trailing: readonly string[] = TRAILING_KEYS;
  const firstTrailing = details.findIndex(({ key }) => trailing.includes(key));
  const fallback = firstTrailing < 0 ? parts.length : firstTrailing;
  const at = behind < 0 ? Math.max(0, Math.min(fallback, lastBuiltIn(details) + 1)) : behind + 1;
  return parts.toSpliced(at, 0, `Hashes: ${stringifyAscii(Object.fromEntries(hashes))}`);
}

/** The last key of ours before the user's own begin. */
function lastBuiltIn(details: readonly Detail[]): number {
  return details.findLastIndex(
    ({ key }) => isBuiltIn(key) && !TRAILING_KEYS.some((trailing) => trailing === key),
  );
}

const BUILT_IN =
  /^(Steps|Sampler|Schedule type|CFG scale|Distilled CFG Scale|Seed|Size|Model|Model hash|VAE|VAE hash|Denoising strength|Clip skip|Batch index|Batch size|Weight dtype|Shift|Max shift|Base shift|Upscaler|ControlNet \d+|LoRA \d+|Text encoders|LoRAs|Lora hashes|Hashes|Version|Samplers|Samplers detail|Metadata Fallback)$/i;

/** Whether a details key is one that we write. */
export function isBuiltIn(key: string): boolean {
  return BUILT_IN.test(key);
}

function addFile(
  add: (key: string, value: string | undefined) => void,
  key: string,
  fact: CapturedFact | undefined,
  resources: Resources,
): void {
  if (!fact) return;
  add(`${key} hash`, resourceOf(fact, resources)?.hashes?.autoV2);
  add(key, fileStem(asText(fact.value)));
}

/** LoRAs in the order they are applied, each distinct name and strength once. */
function collectLoras(captures: readonly SamplerCapture[], resources: Resources): Lora[] {
  const loras = new Map<string, Lora>();
  for (const { facts } of captures) {
    const strengths = strengthsByEntry(facts);
    for (const fact of inOrderApplied(facts.filter(({ field }) => field === 'LORA_MODEL_NAME'))) {
      const { model, clip } = strengths.get(entryOf(fact)) ?? {};
      const hash = resourceOf(fact, resources)?.hashes?.autoV2;
      const name = fileStem(asText(fact.value));
      const key = `${name}\n${model}\n${clip}`;
      if (!loras.has(key))
        loras.set(key, { name, ...(model && { model }), ...(clip && { clip }), ...(hash && { hash }) });
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
function entryOf({ nodeId, item }: CapturedFact): string {
  return `${nodeId}\n${item}`;
}

/**
 * Quoted and flat, as A1111 writes ControlNet units. No key of a line of its own may hold `Model` or `_`: some
 * readers search the whole line for keys, and would take a LoRA's name or hash for the model's.
 */
function loraDetail({ name, model, clip }: Lora): string {
  const parts = [`Name: ${name}`];
  if (model !== undefined) parts.push(`Strength model: ${model}`);
  if (clip !== undefined) parts.push(`Strength clip: ${clip}`);
  return `"${parts.join(', ')}"`;
}

/** Facts come nearest to the sampler first; nodes are applied farthest first, the entries of one node in order. */
function inOrderApplied(facts: readonly CapturedFact[]): CapturedFact[] {
  const byNode = Map.groupBy(facts, (fact) => fact.nodeId);
  return [...byNode.values()].reverse().flat();
}

function hasPrompt({ facts }: SamplerCapture): boolean {
  return facts.some(({ field }) => field === 'POSITIVE_PROMPT' || field === 'NEGATIVE_PROMPT');
}

/** In the order they are applied; the strength is that of the node which applies the model. */
function controlNets({ facts }: SamplerCapture): string[] {
  const strengths = new Map(
    facts
      .toReversed()
      .flatMap((fact) => (fact.field === 'CONTROLNET_STRENGTH' ? [[fact.nodeId, fact] as const] : [])),
  );
  const names = inOrderApplied(facts.filter(({ field }) => field === 'CONTROLNET_NAME'));
  return names.map((fact) => {
    const applier = fact.path().find((id) => strengths.has(id));
    const applied = applier === undefined ? undefined : strengths.get(applier);
    const model = fileStem(asText(fact.value));
    return applied ? `"Name: ${model}, Weight: ${asText(applied.value)}"` : `"Name: ${model}"`;
  });
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

/** Civitai's pattern for `<lora:NAME:WEIGHT>` knows only these characters. */
function promptAlias(name: string): string {
  return name.replace(/[^\w.-]/g, '_');
}

/** The user's own keys, alphabetical, in a form that breaks no reader. */
function ownKeys(
  extra: ReadonlyMap<string, string> | undefined,
  details: readonly Detail[],
  warn: WarningSink,
): [string, string][] {
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
  return [...kept].sort(([a], [b]) => (a < b ? -1 : 1));
}
