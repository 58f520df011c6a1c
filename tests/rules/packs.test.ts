import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  META_FIELDS,
  NORMALISERS,
  type NodeRule,
  type Place,
  ROLES,
  type RulePack,
  STREAMS,
  type Stream,
} from '../../rules/define.ts';
import comfyCore from '../../rules/packs/comfy-core.ts';

/** What a rule pack can get wrong and the type checker can't see. Whether the class types exist is checked
 * against their sources when a pack is written; these packs must at least not contradict themselves. */

const folder = new URL('../../rules/packs/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const packs: readonly RulePack[] = await Promise.all(
  files.map(async (file) => (await import(new URL(file, folder).href)).default),
);

const FIELDS: ReadonlySet<string> = new Set(META_FIELDS);
const VALID_STREAMS: ReadonlySet<string> = new Set(STREAMS);
const VALID_ROLES: ReadonlySet<string> = new Set(ROLES);
const VALID_NORMALISERS: ReadonlySet<string> = new Set(NORMALISERS);

function placesOf(rule: NodeRule): { field: string; place: Place }[] {
  return Object.entries(rule.reads ?? {}).flatMap(([field, places]) =>
    [places].flat().map((place) => ({ field, place })),
  );
}

/** Everything a rule says wrongly, as sentences; none for a good rule. */
function faultsOf(classType: string, rule: NodeRule): string[] {
  const faults: string[] = [];
  const say = (what: string): void => void faults.push(`${classType}: ${what}`);
  const taken = new Set(Object.keys(rule.takes ?? {}));

  if (!VALID_ROLES.has(rule.role)) say(`no role ${rule.role}`);
  for (const [input, streams] of Object.entries({ ...rule.takes, ...rule.uses })) {
    for (const stream of [streams].flat()) {
      if (stream !== 'same' && !VALID_STREAMS.has(stream)) say(`takes.${input}: no stream ${stream}`);
    }
  }
  for (const key of Object.keys(rule.uses ?? {}))
    if (taken.has(key)) say(`takes ${key}, and uses it as a key`);
  if (rule.uses && !rule.pipe) say('uses keys of no bundle');
  const followed = new Set([...taken, ...Object.keys(rule.uses ?? {})]);
  for (const name of Object.keys(rule.only ?? {})) {
    if (!followed.has(name)) say(`follows ${name} only sometimes, and never`);
  }
  for (const stream of rule.puts ?? []) if (!VALID_STREAMS.has(stream)) say(`puts: no stream ${stream}`);
  for (const input of rule.gives?.flat() ?? []) {
    if (!followed.has(input)) say(`gives ${input}, which it does not take`);
  }
  if (rule.gives && followed.size > 0 && !rule.switch) {
    const given = new Set(rule.gives.flat());
    for (const input of followed) if (!given.has(input)) say(`takes ${input}, which no output gives`);
  }
  if (rule.puts && rule.gives && rule.puts.length !== rule.gives.length)
    say('puts and gives differ in slots');
  for (const { field, place } of placesOf(rule)) {
    if (!FIELDS.has(field)) say(`reads ${field}, which is no field`);
    for (const stream of [place.on ?? []].flat()) {
      if (!VALID_STREAMS.has(stream)) say(`reads.${field}: no stream ${stream}`);
    }
    if (place.normalise !== undefined && !VALID_NORMALISERS.has(place.normalise)) {
      say(`reads.${field}: no normaliser ${place.normalise}`);
    }
    if (place.slot !== undefined && rule.gives && place.slot >= rule.gives.length) {
      say(`reads.${field}: no slot ${place.slot}`);
    }
  }
  if (rule.switch && 'cases' in rule.switch) {
    for (const input of Object.values(rule.switch.cases)) {
      if (!taken.has(input)) say(`switches to ${input}, which it does not take`);
    }
  }
  if (rule.switch && taken.size > 0) {
    const prefix =
      'first' in rule.switch ? rule.switch.first : 'prefix' in rule.switch ? rule.switch.prefix : '';
    if (![...taken].some((input) => input.startsWith(prefix)))
      say(`switches among ${prefix}…, and takes none`);
  }
  if (rule.pipe && taken.size > 0 && !rule.uses && !rule.pipe.makes) {
    const { from } = rule.pipe;
    const missing =
      'prefix' in from
        ? [...taken].some((input) => input.startsWith(from.prefix))
          ? []
          : [`${from.prefix}…`]
        : from.filter((input) => !taken.has(input));
    for (const input of missing) say(`bundles come from ${input}, which it does not take`);
  }
  const handedOut = rule.pipe?.slots.filter((key) => key !== null && key !== '') ?? [];
  if (new Set(handedOut).size !== handedOut.length) say('two slots hand out one key');
  for (const [key, slot] of Object.entries(rule.pipe?.makes ?? {})) {
    if (rule.pipe?.slots[slot]) say(`makes ${key} at slot ${slot}, which hands out a key`);
    if (rule.gives && !rule.gives[slot]) say(`makes ${key} at slot ${slot}, of which gives says nothing`);
  }
  // A saver where nothing comes in can start no trace.
  if (rule.role === 'saver' && taken.size === 0) say('a saver that takes no picture');
  if (rule.role === 'sampler' && !rule.puts?.some((on) => on === 'latent' || on === 'image'))
    say('a sampler that puts out neither latent nor image');
  return faults;
}

test.each(packs.map((pack) => [pack.pack, pack] as const))('%s contradicts nothing', (_, pack) => {
  expect(Object.entries(pack.nodes).flatMap(([name, rule]) => faultsOf(name, rule))).toEqual([]);
});

/** On which streams a node that is no sampler may be asked for a field. Fields that are not here: on any, but said. */
const STREAMS_OF: Readonly<Record<string, readonly Stream[]>> = {
  MODEL_NAME: ['model'],
  WEIGHT_DTYPE: ['model'],
  VAE_NAME: ['vae'],
  // An encoder may load its text encoder itself.
  CLIP_MODEL_NAME: ['clip', 'positive', 'negative'],
  // Of a node that loads and encodes, the conditioning tells it too.
  CLIP_SKIP: ['clip', 'positive', 'negative'],
  POSITIVE_PROMPT: ['positive'],
  NEGATIVE_PROMPT: ['negative'],
  LORA_MODEL_NAME: ['model', 'clip', 'positive', 'negative'],
  LORA_STRENGTH_MODEL: ['model', 'clip', 'positive', 'negative'],
  LORA_STRENGTH_CLIP: ['model', 'clip', 'positive', 'negative'],
  IMAGE_WIDTH: ['latent', 'image'],
  IMAGE_HEIGHT: ['latent', 'image'],
  SCALE_BY: ['latent', 'image'],
  SOURCE_IMAGE: ['latent', 'image'],
};

/** These mean the same however their node was reached: a video's speed, files of a kind that has one use. */
const ON_ANY_STREAM: ReadonlySet<string> = new Set(['FRAME_RATE', 'CLIP_VISION_NAME', 'STYLE_MODEL_NAME']);

/** The reads of a node that would count on streams where they mean something else, as sentences. */
function looseReadsOf(classType: string, rule: NodeRule): string[] {
  const places = placesOf(rule);
  const fields = new Set(places.map(({ field }) => field));
  const isTierB =
    fields.has('SAMPLER_NAME') &&
    ['STEPS', 'START_STEP', 'END_STEP'].some((field) => fields.has(field)) &&
    (rule.puts?.includes('latent') || Object.values({ ...rule.takes, ...rule.uses }).includes('model'));
  const isSampler = rule.role === 'sampler' || isTierB;
  return places.flatMap(({ field, place }) => {
    if (ON_ANY_STREAM.has(field)) return [];
    const allowed = STREAMS_OF[field];
    const on: readonly Stream[] = [place.on ?? []].flat();
    const example = allowed?.length === 1 ? `'${allowed[0]}'` : `['${(allowed ?? ['model']).join("', '")}']`;
    if (on.length === 0 && isSampler) return [];
    if (on.length === 0) {
      return [`${classType}.${field} counts on every stream: say where it is meant, such as on: ${example}`];
    }
    const odd = on.filter((stream) => allowed && !allowed.includes(stream));
    return odd.map((stream) => `${classType}.${field} counts on ${stream}: it is meant on ${example}`);
  });
}

test.each(packs.map((pack) => [pack.pack, pack] as const))(
  '%s: a read of a node that is no sampler says on which stream it counts',
  (_, pack) => {
    expect(Object.entries(pack.nodes).flatMap(([name, rule]) => looseReadsOf(name, rule))).toEqual([]);
  },
);

test('a read without a stream, or on a wrong one, is noticed', () => {
  const reads = { MODEL_NAME: { input: 'ckpt' }, LORA_MODEL_NAME: { input: 'lora', on: 'vae' } } as const;
  expect(looseReadsOf('Loader', { role: 'loader', reads })).toEqual([
    "Loader.MODEL_NAME counts on every stream: say where it is meant, such as on: 'model'",
    "Loader.LORA_MODEL_NAME counts on vae: it is meant on ['model', 'clip', 'positive', 'negative']",
  ]);
  expect(looseReadsOf('Sampler', { role: 'sampler', reads: { SEED: { input: 'seed' } } })).toEqual([]);
});

test('every pack is named for its file and says where it was read', () => {
  expect(packs.map(({ pack }) => `${pack}.ts`)).toEqual(files);
  for (const { pack, source } of packs) {
    if (pack !== 'lineage') expect(source, pack).toMatch(/^https:\/\/github\.com\/.+\/tree\/[0-9a-f]{40}$/);
  }
});

test('packs are data: a copy through JSON is the same pack', () => {
  for (const pack of packs) expect(JSON.parse(JSON.stringify(pack))).toEqual(pack);
});

test('no class type is known to two packs', () => {
  const owners = new Map<string, string>();
  for (const { pack, nodes } of packs) {
    for (const classType of Object.keys(nodes)) {
      expect(owners.get(classType), `${classType} of ${pack}`).toBeUndefined();
      owners.set(classType, pack);
    }
  }
});

describe('faultsOf sees', () => {
  test.each<[string, NodeRule]>([
    [
      'an output of an input that is not taken',
      { role: 'patch', takes: { model: 'same' }, gives: [['modle']] },
    ],
    [
      'an input that leads nowhere',
      { role: 'patch', takes: { model: 'same', clip: 'same' }, gives: [['model']] },
    ],
    ['a slot that is not there', { role: 'patch', gives: [[]], reads: { SEED: { input: 'seed', slot: 1 } } }],
    ['a switch to nowhere', { role: 'switch', switch: { by: 'on', cases: { true: 'a' } } }],
    [
      'a switch among inputs that are not taken',
      { role: 'switch', takes: { image_1: 'same' }, switch: { first: 'img_' } },
    ],
    [
      'a number that chooses among inputs that are not taken',
      { role: 'switch', takes: { image_1: 'same' }, switch: { by: 'select', prefix: 'img_' } },
    ],
    [
      'a bundle that is not taken',
      { role: 'pipe', takes: { base_ctx: 'same' }, pipe: { from: ['base'], slots: ['', 'model'] } },
    ],
    [
      'bundles that are not taken',
      { role: 'pipe', takes: { base_ctx: 'same' }, pipe: { from: { prefix: 'ctx_' }, slots: ['', 'model'] } },
    ],
    ['a blind saver', { role: 'saver' }],
    ['a sampler of nothing', { role: 'sampler', puts: ['model'] }],
  ])('%s', (_, rule) => {
    expect(faultsOf('Broken', rule)).not.toEqual([]);
  });
});

describe('comfy-core', () => {
  const nodes: Readonly<Record<string, NodeRule>> = comfyCore.nodes;

  // Output slots as ComfyUI's nodes.py, nodes_custom_sampler.py and nodes_wan.py declare them (RETURN_NAMES).
  test.each([
    ['LoraLoader', ['model', 'clip']],
    ['ControlNetApplyAdvanced', ['positive', 'negative']],
    ['InpaintModelConditioning', ['positive', 'negative', 'pixels']],
    ['WanImageToVideo', ['positive', 'negative', 'start_image']],
    ['HunyuanImageToVideo', ['positive', 'start_image']],
  ])('%s keeps its outputs apart', (classType, firsts) => {
    expect(nodes[classType]?.gives?.map(([first]) => first)).toEqual(firsts);
  });

  test('only a VAE loader names the VAE', () => {
    for (const [name, rule] of Object.entries(nodes)) {
      if (placesOf(rule).some(({ field }) => field === 'VAE_NAME')) expect(name).toBe('VAELoader');
    }
  });

  test('SplitSigmas ends one stage where the other starts', () => {
    expect(nodes['SplitSigmas']?.reads).toMatchObject({
      END_STEP: { input: 'step', slot: 0 },
      START_STEP: { input: 'step', slot: 1 },
    });
  });

  test('a zeroed conditioning has no text', () => {
    expect(nodes['ConditioningZeroOut']?.gives).toEqual([[]]);
  });
});
