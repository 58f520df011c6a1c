import { type NamedTensor, rowsOf, sameParameters } from './placement.ts';

/** The modules of a layer: transformers', OpenCLIP's. */
const LAYER = [
  ['layer_norm1', 'ln_1'],
  ['layer_norm2', 'ln_2'],
  ['mlp.fc1', 'mlp.c_fc'],
  ['mlp.fc2', 'mlp.c_proj'],
  ['self_attn.out_proj', 'attn.out_proj'],
] as const;

const PROJECTIONS = ['q_proj', 'k_proj', 'v_proj'] as const;

/**
 * A CLIP text tower as transformers names it, placed in OpenCLIP's, where q, k and v are one tensor of three times
 * `width` rows and the projection of the text is kept transposed. Names start at the tower: `text_model.`.
 */
export function listOpenClipTensors(layers: number, width: number): readonly NamedTensor[] {
  const inLayers = Array.from({ length: layers }, (_, index) => {
    const [hf, fused] = [`text_model.encoder.layers.${index}`, `transformer.resblocks.${index}`];
    return [
      ...LAYER.flatMap(([ours, theirs]) => sameParameters(`${hf}.${ours}`, `${fused}.${theirs}`)),
      ...PROJECTIONS.flatMap((projection, nth) =>
        rowsOf(`${hf}.self_attn.${projection}`, (parameter) => `${fused}.attn.in_proj_${parameter}`, [
          nth * width,
          (nth + 1) * width,
        ]),
      ),
    ];
  });
  return [
    place('text_model.embeddings.token_embedding.weight', 'token_embedding.weight'),
    place('text_model.embeddings.position_embedding.weight', 'positional_embedding'),
    ...inLayers.flat(),
    ...sameParameters('text_model.final_layer_norm', 'ln_final'),
    { name: 'text_projection.weight', place: { name: 'text_projection', turn: 'transposed' } },
  ];
}

/** The tower in transformers' names, placed in itself: for towers that checkpoints keep so (CLIP-L). */
export function listHfClipTensors(layers: number): readonly NamedTensor[] {
  const modules = Array.from({ length: layers }, (_, index) =>
    [...LAYER.map(([ours]) => ours), ...PROJECTIONS.map((name) => `self_attn.${name}`)].map(
      (layer) => `text_model.encoder.layers.${index}.${layer}`,
    ),
  ).flat();
  return [
    ...['token_embedding.weight', 'position_embedding.weight', 'position_ids'].map((name) =>
      place(`text_model.embeddings.${name}`, `text_model.embeddings.${name}`),
    ),
    ...[...modules, 'text_model.final_layer_norm'].flatMap((layer) => sameParameters(layer, layer)),
  ];
}

function place(name: string, canonical: string): NamedTensor {
  return { name, place: { name: canonical } };
}
