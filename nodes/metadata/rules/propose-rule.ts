import {
  CONVENTIONAL_INPUTS,
  META_FIELDS,
  type MetaField,
  type NodeRule,
  type Place,
  type Stream,
} from '../../../rules/define.ts';
import type { ClassShape, DeclaredInput } from './class-shapes.ts';
import { type Confidence, NAMED_FIELDS, STREAM_OF_TYPE } from './field-names.ts';

/** Why a part of a rule is proposed. */
type Evidence = {
  /** The part: `role`, `takes.model`, `reads.SEED`. */
  readonly about: string;
  /** The input that it was read from, and its declared type; absent where the class itself tells. */
  readonly input?: string;
  readonly type?: string;
  readonly because: string;
  readonly confidence: Confidence;
};

/** A rule that a class type may have, for a person to look at. It is never used by itself. */
export type Proposal = {
  readonly classType: string;
  readonly pythonModule: string;
  readonly rule: NodeRule;
  readonly evidence: readonly Evidence[];
  /** Of its weakest part. */
  readonly confidence: Confidence;
};

/** Which fields a proposal may have: all but these, and those of weak evidence only where they are asked for. */
export type FieldChoice = { readonly exclude: ReadonlySet<string>; readonly force: ReadonlySet<string> };

type Role = NodeRule['role'];
type Known = { readonly role: Role; readonly because: string; readonly confidence: Confidence };

/** What declared inputs, outputs and the class's name let expect. Undefined where they tell nothing. */
export function proposeRule(shape: ClassShape, { exclude, force }: FieldChoice): Proposal | undefined {
  const known = roleOf(shape);
  const isSampler = known?.role === 'sampler';
  const evidence: Evidence[] = [];
  const reads = new Map<MetaField, Place>();
  const usable = (field: MetaField, confidence: Confidence): boolean =>
    !exclude.has(field) && (confidence !== 'low' || force.has(field)) && !reads.has(field);

  for (const { name, type } of shape.inputs) {
    for (const { field, name: pattern, types, puts, on, of, confidence } of NAMED_FIELDS) {
      if (!pattern.test(name.toLowerCase()) || !types.includes(type) || !usable(field, confidence)) continue;
      if (of === 'sampler' ? !isSampler : isSampler) continue;
      if (puts && !puts.some((each) => shape.outputs.includes(each))) continue;
      reads.set(field, { input: name, ...(on !== undefined && { on }) });
      evidence.push({ about: `reads.${field}`, input: name, type, because: 'its name and type', confidence });
    }
  }
  const prompt = isSampler ? undefined : promptOf(shape, reads);
  if (prompt) {
    for (const [field, on] of [
      ['POSITIVE_PROMPT', 'positive'],
      ['NEGATIVE_PROMPT', 'negative'],
    ] as const) {
      if (!usable(field, 'medium')) continue;
      const because = 'the one text of a node that makes conditioning';
      reads.set(field, { input: prompt.name, on });
      evidence.push({
        about: `reads.${field}`,
        input: prompt.name,
        type: prompt.type,
        because,
        confidence: 'medium',
      });
    }
  }
  const role = known ?? roleByReads(reads);
  if (!role) return undefined;
  evidence.unshift({ about: 'role', because: role.because, confidence: role.confidence });

  const takes = new Map<string, Stream | 'same'>();
  for (const { name, type } of shape.inputs) {
    const onto = streamOf(name, type, role.role);
    if (onto === undefined) continue;
    takes.set(name, onto);
    evidence.push({
      about: `takes.${name}`,
      input: name,
      type,
      because: 'its declared type',
      confidence: 'high',
    });
  }
  const puts = shape.outputs.map((type) =>
    Object.hasOwn(STREAM_OF_TYPE, type) ? STREAM_OF_TYPE[type] : undefined,
  );
  const gives = givesOf(shape, takes, role.role);
  const rule: NodeRule = {
    role: role.role,
    ...(takes.size > 0 && { takes: Object.fromEntries(takes) }),
    ...(gives && { gives }),
    ...(isSampler && { puts: puts.map((each) => (each === undefined || each === 'same' ? 'value' : each)) }),
    ...(reads.size > 0 && { reads: inFieldOrder(reads) }),
  };
  return {
    classType: shape.classType,
    pythonModule: shape.pythonModule,
    rule,
    evidence,
    confidence: weakest(evidence),
  };
}

function roleOf({ classType, inputs, outputs, isOutputNode }: ClassShape): Known | undefined {
  const has = (type: string): boolean => inputs.some((each) => each.type === type);
  const sides = inputs.filter(
    ({ type, name }) => type === 'CONDITIONING' && /positive|negative|^cond/i.test(name),
  );
  const named = /sampl/i.test(classType);
  const puts = outputs.includes('LATENT') || outputs.includes('IMAGE');
  const isFed = has('GUIDER') ? has('SIGMAS') : has('MODEL') && sides.length > 0;
  if (
    puts &&
    isFed &&
    inputs.some(({ name }) => /^(noise_)?seed$|^steps$|^sampler(_name)?$|^noise$|^sigmas$/i.test(name))
  ) {
    const because = `takes ${has('GUIDER') ? 'GUIDER and SIGMAS' : 'MODEL and CONDITIONING'}, gives a picture${named ? ', and is called a sampler' : ''}`;
    return { role: 'sampler', because, confidence: named ? 'high' : 'medium' };
  }
  if (isOutputNode && has('IMAGE')) {
    const isSaver = /save|export|write/i.test(classType) && !/preview/i.test(classType);
    return {
      role: isSaver ? 'saver' : 'preview',
      because: 'an output node that takes IMAGE',
      confidence: isSaver ? 'high' : 'medium',
    };
  }
  const passes = ['MODEL', 'CLIP', 'VAE', 'CONDITIONING', 'LATENT', 'IMAGE'].find(
    (type) => has(type) && outputs.includes(type),
  );
  if (passes) {
    const role =
      passes === 'CONDITIONING'
        ? 'combiner'
        : passes === 'LATENT'
          ? 'latent'
          : passes === 'IMAGE'
            ? 'image'
            : 'patch';
    return { role, because: `takes ${passes} and gives it`, confidence: 'medium' };
  }
  if (outputs.includes('IMAGE') && has('LATENT') && has('VAE'))
    return { role: 'image', because: 'makes an IMAGE of LATENT and VAE', confidence: 'medium' };
  return undefined;
}

/** A class that takes nothing of the picture's is what it loads or writes. */
function roleByReads(reads: ReadonlyMap<MetaField, Place>): Known | undefined {
  const because = 'what it reads';
  if (reads.has('POSITIVE_PROMPT') || reads.has('NEGATIVE_PROMPT'))
    return { role: 'encoder', because, confidence: 'high' };
  if (
    ['MODEL_NAME', 'VAE_NAME', 'CLIP_MODEL_NAME', 'CONTROLNET_NAME', 'UPSCALE_MODEL_NAME'].some((each) =>
      [...reads.keys()].some((field) => field === each),
    )
  )
    return { role: 'loader', because, confidence: 'high' };
  return reads.has('IMAGE_WIDTH') ? { role: 'latent', because, confidence: 'high' } : undefined;
}

/** The text of a node that puts out conditioning, where there is but one that could be the prompt. */
function promptOf(
  { inputs, outputs }: ClassShape,
  reads: ReadonlyMap<MetaField, Place>,
): DeclaredInput | undefined {
  if (!outputs.includes('CONDITIONING') || reads.has('POSITIVE_PROMPT') || reads.has('NEGATIVE_PROMPT'))
    return undefined;
  const texts = inputs.filter(
    ({ type, name, isMultiline }) => type === 'STRING' && (isMultiline || /^(text|prompt)$/i.test(name)),
  );
  return texts.length === 1 ? texts[0] : undefined;
}

function streamOf(name: string, type: string, role: Role): Stream | 'same' | undefined {
  if (!Object.hasOwn(STREAM_OF_TYPE, type)) return undefined;
  const byType = STREAM_OF_TYPE[type];
  if (type === 'CONDITIONING' && role === 'sampler') return /neg/i.test(name) ? 'negative' : 'positive';
  const byName = Object.hasOwn(CONVENTIONAL_INPUTS, name) ? CONVENTIONAL_INPUTS[name] : undefined;
  return type === 'IMAGE' && byName === 'reference' ? 'reference' : byType;
}

/** What of the inputs each output carries on: those of its type, and what it is made of. Undefined: all in each. */
function givesOf(
  { inputs, outputs }: ClassShape,
  takes: ReadonlyMap<string, unknown>,
  role: Role,
): string[][] | undefined {
  if (role === 'sampler' || role === 'saver' || role === 'preview') return undefined;
  if (takes.size === 0) return undefined;
  const taken = inputs.filter(({ name }) => takes.has(name));
  if (outputs.length === 1) return undefined;
  const gives = outputs.map((type, slot) => {
    const same = taken.filter((each) => each.type === type);
    const nth = outputs.slice(0, slot).filter((each) => each === type).length;
    // As many outputs as inputs of a type: the first is the first, as with positive and negative.
    const isPaired = same.length > 1 && same.length === outputs.filter((each) => each === type).length;
    return (isPaired ? same.slice(nth, nth + 1) : same).map(({ name }) => name);
  });
  const given = new Set(gives.flat());
  const rest = taken.map(({ name }) => name).filter((name) => !given.has(name));
  // What fits no output by type goes into those that are made here, else into the first.
  const made = outputs.flatMap((type, slot) => (MADE.has(type) ? [slot] : []));
  const takers = made.length > 0 ? made : [0];
  return gives.map((names, slot) => (takers.includes(slot) ? [...names, ...rest] : names));
}

const MADE: ReadonlySet<string> = new Set(['CONDITIONING', 'LATENT', 'IMAGE']);

function inFieldOrder(reads: ReadonlyMap<MetaField, Place>): Partial<Record<MetaField, Place>> {
  return Object.fromEntries(
    META_FIELDS.flatMap((field) => (reads.has(field) ? [[field, reads.get(field)]] : [])),
  );
}

const ORDER: readonly Confidence[] = ['low', 'medium', 'high'];

function weakest(evidence: readonly Evidence[]): Confidence {
  return ORDER.find((each) => evidence.some(({ confidence }) => confidence === each)) ?? 'low';
}
