import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  META_FIELDS,
  NORMALISERS,
  type NodeRule,
  type Pick,
  ROLES,
  type RulePack,
  STREAMS,
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

function picksOf(rule: NodeRule): { field: string; pick: Pick }[] {
  return Object.entries(rule.reads ?? {}).flatMap(([field, picks]) =>
    [picks].flat().map((pick) => ({ field, pick })),
  );
}

/** Everything a rule says wrongly, as sentences; none for a good rule. */
function faultsOf(classType: string, rule: NodeRule): string[] {
  const faults: string[] = [];
  const say = (what: string): void => void faults.push(`${classType}: ${what}`);
  const taken = new Set(Object.keys(rule.takes ?? {}));

  if (!VALID_ROLES.has(rule.role)) say(`no role ${rule.role}`);
  for (const [input, stream] of Object.entries(rule.takes ?? {})) {
    if (stream !== 'same' && !VALID_STREAMS.has(stream)) say(`takes.${input}: no stream ${stream}`);
  }
  for (const stream of rule.puts ?? []) if (!VALID_STREAMS.has(stream)) say(`puts: no stream ${stream}`);
  for (const input of rule.gives?.flat() ?? []) {
    if (!taken.has(input)) say(`gives ${input}, which it does not take`);
  }
  if (rule.gives && taken.size > 0) {
    const given = new Set(rule.gives.flat());
    for (const input of taken) if (!given.has(input)) say(`takes ${input}, which no output gives`);
  }
  if (rule.puts && rule.gives && rule.puts.length !== rule.gives.length)
    say('puts and gives differ in slots');
  for (const { field, pick } of picksOf(rule)) {
    if (!FIELDS.has(field)) say(`reads ${field}, which is no field`);
    for (const stream of [pick.on ?? []].flat()) {
      if (!VALID_STREAMS.has(stream)) say(`reads.${field}: no stream ${stream}`);
    }
    if (pick.normalise !== undefined && !VALID_NORMALISERS.has(pick.normalise)) {
      say(`reads.${field}: no normaliser ${pick.normalise}`);
    }
    if (pick.slot !== undefined && rule.gives && pick.slot >= rule.gives.length) {
      say(`reads.${field}: no slot ${pick.slot}`);
    }
  }
  if (rule.switch && 'cases' in rule.switch) {
    for (const input of Object.values(rule.switch.cases)) {
      if (!taken.has(input)) say(`switches to ${input}, which it does not take`);
    }
  }
  if (rule.pipe && new Set(rule.pipe.slots).size !== rule.pipe.slots.length)
    say('two slots hand out one key');
  // A saver where nothing comes in can start no trace.
  if (rule.role === 'saver' && taken.size === 0) say('a saver that takes no picture');
  if (rule.role === 'sampler' && !rule.puts?.includes('latent')) say('a sampler that puts out no latent');
  return faults;
}

test.each(packs.map((pack) => [pack.pack, pack] as const))('%s contradicts nothing', (_, pack) => {
  expect(Object.entries(pack.nodes).flatMap(([name, rule]) => faultsOf(name, rule))).toEqual([]);
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
    ['a blind saver', { role: 'saver' }],
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

  test('a prompt is read on its own side only', () => {
    for (const [name, rule] of Object.entries(nodes)) {
      for (const { field, pick } of picksOf(rule)) {
        if (field === 'POSITIVE_PROMPT') expect(pick.on, name).toBe('positive');
        if (field === 'NEGATIVE_PROMPT') expect(pick.on, name).toBe('negative');
      }
    }
  });

  test('only what was reached as a model names the model, only a VAE loader the VAE', () => {
    for (const [name, rule] of Object.entries(nodes)) {
      for (const { field, pick } of picksOf(rule)) {
        if (field === 'MODEL_NAME') expect(pick.on, name).toBe('model');
        if (field === 'VAE_NAME') expect(name).toBe('VAELoader');
      }
    }
  });

  test('sizes and source pictures count on the way of the picture only', () => {
    for (const [name, rule] of Object.entries(nodes)) {
      for (const { field, pick } of picksOf(rule)) {
        if (['IMAGE_WIDTH', 'IMAGE_HEIGHT', 'SCALE_BY', 'SOURCE_IMAGE'].includes(field)) {
          expect(pick.on, `${name}.${field}`).toEqual(['latent', 'image']);
        }
      }
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
