import type { BlockPlan, Convention, EncoderId } from './define.ts';

/**
 * The blocks of a Stable Diffusion UNet: BASE, `levels` times IN, M00, as many OUT. 12 a side make the 26 of SD1.5,
 * 9 a side the 20 of SDXL. What is said once for both conventions: the last norm and convolution (`out.`) go with the
 * last OUT, text encoders with BASE.
 *
 * @param vaeBlock `VAE` where sd-mecha counts the VAE as a block of its own (SDXL), else BASE
 */
export function unetBlocks(
  levels: number,
  encoders: readonly EncoderId[],
  vaeBlock: 'VAE' | 'BASE',
): Readonly<Record<Convention, BlockPlan>> {
  const embeddings = ['time_embed.', 'label_emb.'];
  const lastOut = `OUT${String(levels - 1).padStart(2, '0')}`;
  const sides = [
    { block: 'IN', denoiser: ['input_blocks.'], count: levels },
    { block: 'M00', denoiser: ['middle_block.'] },
    { block: 'OUT', denoiser: ['output_blocks.'], count: levels },
  ];
  return {
    supermerger: {
      slots: [{ block: 'BASE', encoders, vae: true }, ...sides],
      also: { IN00: embeddings, [lastOut]: ['out.'] },
    },
    mecha: {
      slots:
        vaeBlock === 'VAE'
          ? [{ block: 'BASE', encoders, denoiser: embeddings }, ...sides, { block: 'VAE', vae: true }]
          : [{ block: 'BASE', encoders, denoiser: embeddings, vae: true }, ...sides],
      also: { [lastOut]: ['out.'] },
    },
  };
}
