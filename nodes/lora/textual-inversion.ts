import { LineageError } from '../kit/errors.ts';
import type { Tensor } from './tensor.ts';
import type { NamedTensor } from './write-lora.ts';

/** Whose vectors: the one text encoder of SD 1 and SD 2, or one of SDXL's two. */
type TextEncoder = 'clip' | 'clip_l' | 'clip_g';

/** A textual inversion: vectors `[tokens, dim]` for each text encoder it is for. */
export type Embedding = ReadonlyMap<TextEncoder, Tensor>;

export type WeightedEmbedding = { readonly embedding: Embedding; readonly weight: number };

/** SD 1, SD 2. */
const SINGLE_WIDTHS = [768, 1024];
const SDXL_WIDTHS = { clip_l: 768, clip_g: 1280 } as const;
/** As A1111 and the trainers name the vectors; the second inside a pickled dictionary. */
const SINGLE_NAMES = ['emb_params', 'string_to_param.*', 'string_to_param', '*'];
/** Beside them: which token the vectors were trained for, which nothing reads. */
const IDLE_NAME = 'string_to_token.*';

/**
 * Reads the tensors of an embedding: `emb_params` or `string_to_param` (SD 1 and 2), `clip_l` and `clip_g` (SDXL),
 * or one tensor under the name of its token (diffusers). Of an embedding bundled with a LoRA, give what follows
 * `bundle_emb.NAME.`.
 * @throws LineageError `lora/embedding` for other tensors, or widths that no such encoder has.
 */
export function readEmbedding(tensors: ReadonlyMap<string, Tensor>): Embedding {
  const [large, small] = [tensors.get('clip_g'), tensors.get('clip_l')];
  if (large && small) {
    if (tensors.size > 2) throw embeddingError('clip_l and clip_g alone', [...tensors.keys()].join(', '));
    return new Map<TextEncoder, Tensor>([
      ['clip_l', vectorsOf(small, [SDXL_WIDTHS.clip_l])],
      ['clip_g', vectorsOf(large, [SDXL_WIDTHS.clip_g])],
    ]);
  }
  const telling = [...tensors.keys()].filter((name) => name !== IDLE_NAME);
  const named = SINGLE_NAMES.map((name) => tensors.get(name)).find((tensor) => tensor !== undefined);
  const only = tensors.size === 1 && !large && !small ? [...tensors.values()][0] : undefined;
  const single = telling.length === 1 ? (named ?? only) : undefined;
  if (!single) throw embeddingError('emb_params, or clip_l and clip_g', [...tensors.keys()].join(', '));
  return new Map([['clip', vectorsOf(single, SINGLE_WIDTHS)]]);
}

/**
 * The weighted sum of embeddings, vector by vector.
 * @throws LineageError `lora/embedding-mismatch` unless all are for the same encoders, with as many vectors.
 */
export function sumEmbeddings(parts: readonly WeightedEmbedding[]): Embedding {
  return mergeEach(parts, (tensors) => {
    const [tokens, width] = tensors[0]?.tensor.shape ?? [];
    const sum = new Float64Array((tokens ?? 0) * (width ?? 0));
    for (const { tensor, weight } of tensors) {
      if (tensor.shape[0] !== tokens || tensor.shape[1] !== width) {
        throw mismatchError(`[${[tokens, width]}]`, `[${tensor.shape}]`);
      }
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (tensor.data[i] ?? 0);
    }
    return { shape: [tokens ?? 0, width ?? 0], data: Float32Array.from(sum) };
  });
}

/**
 * The vectors of all embeddings one after the other, each times its embedding's weight.
 * @throws LineageError `lora/embedding-mismatch` unless all are for the same encoders.
 */
export function joinEmbeddings(parts: readonly WeightedEmbedding[]): Embedding {
  return mergeEach(parts, (tensors) => {
    const width = tensors[0]?.tensor.shape[1] ?? 0;
    const values: number[] = [];
    for (const { tensor, weight } of tensors) {
      if (tensor.shape[1] !== width) throw mismatchError(`vectors of ${width}`, `[${tensor.shape}]`);
      for (const value of tensor.data) values.push(weight * value);
    }
    return { shape: [values.length / width, width], data: Float32Array.from(values) };
  });
}

/** The tensors of an embedding file: `emb_params`, or `clip_l` and `clip_g`. */
export function writeEmbedding(embedding: Embedding, dtype: NamedTensor['dtype']): NamedTensor[] {
  return [...embedding].map(([encoder, { shape, data }]) => ({
    name: encoder === 'clip' ? 'emb_params' : encoder,
    dtype,
    shape,
    data,
  }));
}

/** Merges what each encoder has; all must have the same ones. */
function mergeEach(
  parts: readonly WeightedEmbedding[],
  merge: (tensors: readonly { readonly tensor: Tensor; readonly weight: number }[]) => Tensor,
): Embedding {
  const first = parts[0];
  if (!first) throw embeddingError('at least one embedding', 'none');
  const encoders = [...first.embedding.keys()];
  for (const { embedding } of parts) {
    if (embedding.size !== encoders.length || !encoders.every((encoder) => embedding.has(encoder))) {
      throw mismatchError(encoders.join(' and '), [...embedding.keys()].join(' and '));
    }
  }
  return new Map(
    encoders.map((encoder) => [
      encoder,
      merge(
        parts.flatMap(({ embedding, weight }) => {
          const tensor = embedding.get(encoder);
          return tensor ? [{ tensor, weight }] : [];
        }),
      ),
    ]),
  );
}

/** As `[tokens, dim]`: a lone vector is one token. */
function vectorsOf({ shape, data }: Tensor, widths: readonly number[]): Tensor {
  const width = shape.at(-1) ?? 0;
  if (shape.length < 1 || shape.length > 2 || !widths.includes(width) || data.length === 0) {
    throw embeddingError(`vectors of ${widths.join(' or ')}`, `[${shape}]`);
  }
  return { shape: [data.length / width, width], data };
}

function embeddingError(expected: string, got: string): LineageError {
  return new LineageError('lora/embedding', `expected ${expected}, got ${got.slice(0, 200)}`);
}

function mismatchError(expected: string, got: string): LineageError {
  return new LineageError('lora/embedding-mismatch', `expected ${expected}, got ${got}`);
}
