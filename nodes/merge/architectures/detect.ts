import { bitsOf, isDtype } from '../../formats/safetensors/dtypes.ts';
import {
  type Architecture,
  type EncoderId,
  type Layout,
  matchesName,
  type Sign,
  type TensorShapes,
  type Variant,
} from './define.ts';
import { architectures } from './index.gen.ts';
import { partOf } from './parts.ts';

/**
 * Whose names a file has. `ldm`: a whole checkpoint, the denoiser under its prefix; `comfy-bare`: the same names
 * without a prefix; `kohya` and `peft`: an adapter for the family.
 */
type KeySpace = 'ldm' | 'comfy-bare' | 'diffusers' | 'transformers' | 'kohya' | 'peft';

/**
 * How sure it is. `exact`: every sign is there in its shape; `names`: every sign is there, some in another size
 * (a model made wider or narrower).
 */
type Confidence = 'exact' | 'names';

/** A family that the signs allow. */
type Candidate = {
  readonly architecture: Architecture;
  readonly keySpace: KeySpace;
  readonly confidence: Confidence;
  /** What stands before the denoiser's names in this file. */
  readonly prefix: string;
  /** Names of the tensors that gave it away, as the file has them. */
  readonly seen: readonly string[];
};

/** What a file is, as far as its tensors tell. */
export type Detection = {
  /** Undefined: no family fits, or several fit equally well (then they are all in `others`). */
  readonly found?: Candidate & { readonly variant?: string };
  readonly others: readonly Candidate[];
  readonly parts: {
    readonly denoiser: boolean;
    readonly encoders: readonly EncoderId[];
    readonly vae: boolean;
  };
  /** The dtype with most of the bytes, as manifests spell it: `fp16`, `bf16`, `fp32`, `fp8_e4m3` ... */
  readonly precision?: string;
  /** Share of the bytes by dtype (safetensors' names), the largest first; they sum up to 1. */
  readonly dtypes: readonly { readonly dtype: string; readonly share: number }[];
};

/** Before the denoiser's names: of ComfyUI and LDM, of other trainers, of pipelines, none. */
const PREFIXES = [
  'model.diffusion_model.',
  'diffusion_model.',
  'net.',
  'model.model.',
  'unet.',
  'transformer.',
  '',
];

/**
 * Recognises the architecture by the tensors that only it has.
 *
 * @param modelType `model_type` of a `config.json` beside the file: decides between families whose tensors are named
 * alike (Llama and Mistral); it is not believed against the tensors
 */
export function detectArchitecture(tensors: TensorShapes, modelType?: string): Detection {
  const names = [...tensors.keys()];
  const prefixes = PREFIXES.filter((prefix) => names.some((name) => name.startsWith(prefix)));
  const candidates = architectures.flatMap((architecture) => {
    const [best] = architecture.layouts
      .flatMap((layout) => matchLayout(architecture, layout, tensors, names, prefixes))
      .sort(byStrength);
    return best ? [best] : [];
  });
  candidates.sort(
    (a, b) =>
      Number(b.architecture.family === modelType) - Number(a.architecture.family === modelType) ||
      byStrength(a, b),
  );
  const [first, second] = candidates;
  const isTie =
    first !== undefined &&
    second !== undefined &&
    first.architecture.family !== modelType &&
    byStrength(first, second) === 0;
  const found = isTie ? undefined : first;
  const variant = found?.architecture.variants?.find((each) => isVariant(each, found.prefix, tensors, names));
  return {
    ...(found && { found: { ...found, ...(variant && { variant: variant.name }) } }),
    others: candidates.filter((each) => each !== found),
    parts: listParts(names, found),
    ...measure(tensors),
  };
}

/** Shapes that agree count more than names, more signs count more than fewer. */
function byStrength(a: Candidate, b: Candidate): number {
  return Number(b.confidence === 'exact') - Number(a.confidence === 'exact') || b.seen.length - a.seen.length;
}

function matchLayout(
  architecture: Architecture,
  layout: Layout,
  tensors: TensorShapes,
  names: readonly string[],
  prefixes: readonly string[],
): readonly Candidate[] {
  const isAdapter = layout.space === 'kohya' || layout.space === 'peft';
  const wholeNames = isAdapter || layout.space === 'transformers';
  return (wholeNames ? [''] : prefixes).flatMap((prefix) => {
    const isOther = layout.lacks?.some((pattern) => has(prefix + pattern, tensors, names));
    if (isOther) return [];
    const hits = layout.has.map((sign) => findSign(sign, prefix, tensors, names));
    const seen = hits.flatMap((hit) => (hit === undefined ? [] : [hit.name]));
    if (seen.length < hits.length) return [];
    const confidence = hits.every((hit) => hit?.fits) ? 'exact' : 'names';
    const keySpace = layout.space !== 'original' ? layout.space : prefix === '' ? 'comfy-bare' : 'ldm';
    return [{ architecture, keySpace, confidence, prefix, seen } as const];
  });
}

/** The tensor of a sign: one that has its shape where there is one, else one with as many sides. */
function findSign(
  { name, shape }: Sign,
  prefix: string,
  tensors: TensorShapes,
  names: readonly string[],
): { readonly name: string; readonly fits: boolean } | undefined {
  const pattern = prefix + name;
  const matching = pattern.includes('*') ? names.filter((each) => matchesName(each, pattern)) : [pattern];
  const alike = matching.filter((each) => {
    const found = tensors.get(each);
    return found !== undefined && (shape === undefined || found.shape.length === shape.length);
  });
  const fitting = alike.find((each) =>
    (shape ?? []).every((side, axis) => side === null || tensors.get(each)?.shape[axis] === side),
  );
  const hit = fitting ?? alike[0];
  return hit === undefined ? undefined : { name: hit, fits: fitting !== undefined };
}

function has(pattern: string, tensors: TensorShapes, names: readonly string[]): boolean {
  return pattern.includes('*') ? names.some((name) => matchesName(name, pattern)) : tensors.has(pattern);
}

function isVariant(
  { any }: Variant,
  prefix: string,
  tensors: TensorShapes,
  names: readonly string[],
): boolean {
  return any.some((sign) => findSign(sign, prefix, tensors, names)?.fits === true);
}

/**
 * The parts that a file has, told by the family. Where none is found, by all: a part counts if those that know its
 * prefix agree on what it is.
 */
function listParts(names: readonly string[], found: Candidate | undefined): Detection['parts'] {
  const isAdapter = found?.keySpace === 'kohya' || found?.keySpace === 'peft';
  if (isAdapter) return { denoiser: false, encoders: [], vae: false };
  const asked = found ? [found.architecture] : architectures;
  const encoders = new Set<EncoderId>();
  let vae = false;
  for (const name of names) {
    const ids = new Set<EncoderId>();
    for (const architecture of asked) {
      const part = partOf(name, architecture);
      if (part.kind === 'text-encoder') ids.add(part.encoder);
      if (part.kind === 'vae') vae = true;
    }
    const [only] = ids;
    if (only !== undefined && ids.size === 1) encoders.add(only);
  }
  return { denoiser: found !== undefined, encoders: [...encoders], vae };
}

/** How manifests spell the usual dtypes. */
const PRECISIONS: Readonly<Record<string, string>> = {
  F16: 'fp16',
  BF16: 'bf16',
  F32: 'fp32',
  F64: 'fp64',
  F8_E4M3: 'fp8_e4m3',
  F8_E5M2: 'fp8_e5m2',
  F4: 'fp4',
};

/** Bytes by dtype. Dtypes that safetensors does not know count as bytes. */
function measure(tensors: TensorShapes): Pick<Detection, 'precision' | 'dtypes'> {
  const bytes = new Map<string, number>();
  for (const { dtype, shape } of tensors.values()) {
    const bits = isDtype(dtype) ? bitsOf(dtype) : 8;
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + (shape.reduce((a, b) => a * b, 1) * bits) / 8);
  }
  const total = [...bytes.values()].reduce((a, b) => a + b, 0);
  const dtypes = [...bytes]
    .map(([dtype, count]) => ({ dtype, share: total === 0 ? 0 : count / total }))
    .sort((a, b) => b.share - a.share);
  const top = dtypes[0]?.dtype;
  return { ...(top !== undefined && { precision: PRECISIONS[top] ?? top.toLowerCase() }), dtypes };
}
