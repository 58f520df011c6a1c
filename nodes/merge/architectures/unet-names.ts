import type { UnetStructure } from './define.ts';

/** A module of a UNet in the original's names (`input_blocks.1.0.in_layers.0`) and in those of diffusers. */
export type NamedModule = { readonly original: string; readonly diffusers: string };

/** Modules of a residual block: the original's, diffusers'. */
const RESIDUAL = [
  ['in_layers.0', 'norm1'],
  ['in_layers.2', 'conv1'],
  ['emb_layers.1', 'time_emb_proj'],
  ['out_layers.0', 'norm2'],
  ['out_layers.3', 'conv2'],
  ['skip_connection', 'conv_shortcut'],
] as const;

/** Modules of a transformer block, named alike in both. */
const TRANSFORMER = [
  'norm1',
  'norm2',
  'norm3',
  ...['attn1', 'attn2'].flatMap((attention) =>
    ['to_q', 'to_k', 'to_v', 'to_out.0'].map((projection) => `${attention}.${projection}`),
  ),
  'ff.net.0.proj',
  'ff.net.2',
];

/**
 * The modules of a Stable Diffusion UNet, from its structure. The original numbers every layer of a side through;
 * diffusers counts residual blocks, attentions and samplers within each level. The skip connection of a residual
 * block is listed for all, though only those that change the number of channels have one.
 *
 * @see the constructors of `UNetModel` (CompVis/stable-diffusion, openaimodel.py) and `UNet2DConditionModel` (diffusers)
 */
export function listUnetModules(structure: UnetStructure): readonly NamedModule[] {
  const { residuals, depths, middleDepth, labels } = structure;
  const levels = depths.length;
  const down = depths.flatMap((depth, level) => {
    const first = 1 + level * (residuals + 1);
    const blocks = Array.from({ length: residuals }, (_, index) =>
      block(`input_blocks.${first + index}`, `down_blocks.${level}`, index, depth),
    ).flat();
    const sampler = [
      pair(`input_blocks.${first + residuals}.0.op`, `down_blocks.${level}.downsamplers.0.conv`),
    ];
    return level < levels - 1 ? [...blocks, ...sampler] : blocks;
  });
  const up = depths.toReversed().flatMap((depth, level) => {
    const first = level * (residuals + 1);
    const blocks = Array.from({ length: residuals + 1 }, (_, index) =>
      block(`output_blocks.${first + index}`, `up_blocks.${level}`, index, depth),
    ).flat();
    const place = `output_blocks.${first + residuals}.${depth > 0 ? 2 : 1}`;
    return level < levels - 1
      ? [...blocks, pair(`${place}.conv`, `up_blocks.${level}.upsamplers.0.conv`)]
      : blocks;
  });
  return [
    pair('time_embed.0', 'time_embedding.linear_1'),
    pair('time_embed.2', 'time_embedding.linear_2'),
    ...(labels ? [pair('label_emb.0.0', 'add_embedding.linear_1')] : []),
    ...(labels ? [pair('label_emb.0.2', 'add_embedding.linear_2')] : []),
    pair('input_blocks.0.0', 'conv_in'),
    ...down,
    ...residual('middle_block.0', 'mid_block.resnets.0'),
    ...attention('middle_block.1', 'mid_block.attentions.0', middleDepth),
    ...residual('middle_block.2', 'mid_block.resnets.1'),
    ...up,
    pair('out.0', 'conv_norm_out'),
    pair('out.2', 'conv_out'),
  ];
}

/** A residual block and, where the level has transformers, the attention behind it. */
function block(original: string, diffusers: string, index: number, depth: number): readonly NamedModule[] {
  return [
    ...residual(`${original}.0`, `${diffusers}.resnets.${index}`),
    ...(depth > 0 ? attention(`${original}.1`, `${diffusers}.attentions.${index}`, depth) : []),
  ];
}

function residual(original: string, diffusers: string): readonly NamedModule[] {
  return RESIDUAL.map(([ours, theirs]) => pair(`${original}.${ours}`, `${diffusers}.${theirs}`));
}

function attention(original: string, diffusers: string, depth: number): readonly NamedModule[] {
  const inner = Array.from({ length: depth }, (_, index) =>
    TRANSFORMER.map((layer) => `transformer_blocks.${index}.${layer}`),
  );
  return ['norm', 'proj_in', ...inner.flat(), 'proj_out'].map((layer) =>
    pair(`${original}.${layer}`, `${diffusers}.${layer}`),
  );
}

function pair(original: string, diffusers: string): NamedModule {
  return { original, diffusers };
}
