import type { FluxStructure } from './define.ts';
import { type NamedTensor, rowsOf, sameParameters } from './placement.ts';

/** Modules outside the blocks: diffusers', the original's. */
const AROUND = [
  ['x_embedder', 'img_in'],
  ['context_embedder', 'txt_in'],
  ['time_text_embed.timestep_embedder.linear_1', 'time_in.in_layer'],
  ['time_text_embed.timestep_embedder.linear_2', 'time_in.out_layer'],
  ['time_text_embed.guidance_embedder.linear_1', 'guidance_in.in_layer'],
  ['time_text_embed.guidance_embedder.linear_2', 'guidance_in.out_layer'],
  ['time_text_embed.text_embedder.linear_1', 'vector_in.in_layer'],
  ['time_text_embed.text_embedder.linear_2', 'vector_in.out_layer'],
  ['proj_out', 'final_layer.linear'],
] as const;

/** Modules of a double block, which has one set for the picture and one for the text. */
const DOUBLE = [
  ['norm1.linear', 'img_mod.lin'],
  ['attn.to_out.0', 'img_attn.proj'],
  ['ff.net.0.proj', 'img_mlp.0'],
  ['ff.net.2', 'img_mlp.2'],
  ['norm1_context.linear', 'txt_mod.lin'],
  ['attn.to_add_out', 'txt_attn.proj'],
  ['ff_context.net.0.proj', 'txt_mlp.0'],
  ['ff_context.net.2', 'txt_mlp.2'],
] as const;

/** Norms of q and k: diffusers calls their parameter `weight`, the original `scale`. */
const DOUBLE_NORMS = [
  ['attn.norm_q', 'img_attn.norm.query_norm'],
  ['attn.norm_k', 'img_attn.norm.key_norm'],
  ['attn.norm_added_q', 'txt_attn.norm.query_norm'],
  ['attn.norm_added_k', 'txt_attn.norm.key_norm'],
] as const;

/** The q, k and v of diffusers that one tensor of the original holds, one below the other. */
const DOUBLE_FUSED = [
  [['attn.to_q', 'attn.to_k', 'attn.to_v'], 'img_attn.qkv'],
  [['attn.add_q_proj', 'attn.add_k_proj', 'attn.add_v_proj'], 'txt_attn.qkv'],
] as const;

const SINGLE_QKV = ['attn.to_q', 'attn.to_k', 'attn.to_v'] as const;
/** The feed-forward part of a single block is four times as wide. */
const MLP_RATIO = 4;

/**
 * The transformer of Flux as diffusers names it, placed in the original's names. In single blocks q, k, v and the
 * first feed-forward layer are one tensor; the last modulation has scale and shift the other way round.
 *
 * @see https://github.com/black-forest-labs/flux and the conversion script of diffusers
 */
export function listFluxTensors({ double, single, width }: FluxStructure): readonly NamedTensor[] {
  const third = (nth: number): readonly [number, number] => [nth * width, (nth + 1) * width];
  const doubles = Array.from({ length: double }, (_, index) => {
    const [theirs, ours] = [`transformer_blocks.${index}`, `double_blocks.${index}`];
    return [
      ...DOUBLE.flatMap(([from, to]) => sameParameters(`${theirs}.${from}`, `${ours}.${to}`)),
      ...DOUBLE_NORMS.map(([from, to]) => scale(`${theirs}.${from}`, `${ours}.${to}`)),
      ...DOUBLE_FUSED.flatMap(([parts, to]) =>
        parts.flatMap((from, nth) =>
          rowsOf(`${theirs}.${from}`, (parameter) => `${ours}.${to}.${parameter}`, third(nth)),
        ),
      ),
    ];
  });
  const singles = Array.from({ length: single }, (_, index) => {
    const [theirs, ours] = [`single_transformer_blocks.${index}`, `single_blocks.${index}`];
    const fused = (parameter: string): string => `${ours}.linear1.${parameter}`;
    return [
      ...sameParameters(`${theirs}.norm.linear`, `${ours}.modulation.lin`),
      ...sameParameters(`${theirs}.proj_out`, `${ours}.linear2`),
      scale(`${theirs}.attn.norm_q`, `${ours}.norm.query_norm`),
      scale(`${theirs}.attn.norm_k`, `${ours}.norm.key_norm`),
      ...SINGLE_QKV.flatMap((from, nth) => rowsOf(`${theirs}.${from}`, fused, third(nth))),
      ...rowsOf(`${theirs}.proj_mlp`, fused, [3 * width, (3 + MLP_RATIO) * width]),
    ];
  });
  const lastModulation = ['weight', 'bias'].map(
    (parameter): NamedTensor => ({
      name: `norm_out.linear.${parameter}`,
      place: { name: `final_layer.adaLN_modulation.1.${parameter}`, turn: 'halves-swapped' },
    }),
  );
  return [
    ...AROUND.flatMap(([from, to]) => sameParameters(from, to)),
    ...doubles.flat(),
    ...singles.flat(),
    ...lastModulation,
  ];
}

function scale(theirs: string, ours: string): NamedTensor {
  return { name: `${theirs}.weight`, place: { name: `${ours}.scale` } };
}
