import { describe, expect, test } from 'vitest';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { emaNameOf, listPruned, partOf } from '../../../nodes/merge/architectures/parts.ts';
import { readCheckpoint } from './layouts.ts';

const sdxl = findArchitecture('SDXL');
const sd15 = findArchitecture('SD1.5');

function count(family: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of readCheckpoint(family).keys()) {
    const part = partOf(name, findArchitecture(family));
    const key = part.kind === 'text-encoder' ? part.encoder : part.kind;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

describe('parts', () => {
  test('of whole checkpoints: every tensor has one', () => {
    expect(count('sd15')).toEqual({ denoiser: 686, clip_l: 197, vae: 248 });
    expect(count('sd2')).toEqual({ denoiser: 686, clip_h: 294, vae: 248 });
    expect(count('sdxl')).toEqual({ denoiser: 1680, clip_l: 197, clip_g: 390, vae: 248 });
    expect(count('sdxl-refiner')).toEqual({ denoiser: 1220, clip_g: 390, vae: 248 });
  });

  test.each([
    ['v_pred', 'marker'],
    ['ztsnr', 'marker'],
    ['edm_mean', 'marker'],
    ['edm_vpred.sigma_max', 'marker'],
    ['scaled_fp8', 'marker'],
    ['model.diffusion_model.scaled_fp8', 'marker'],
    ['model_ema.diffusion_modelinput_blocks00weight', 'ema'],
    ['model_ema.decay', 'junk'],
    ['model_ema.num_updates', 'junk'],
    ['alphas_cumprod', 'junk'],
    ['denoiser.sigmas', 'junk'],
    ['first_stage_model.loss.discriminator.main.0.weight', 'junk'],
    ['optimizer_states', 'optimizer'],
    ['input_blocks.0.0.weight', 'denoiser'],
    ['model.diffusion_model.input_blocks.4.1.proj_in.scale_weight', 'denoiser'],
    ['something.else', 'other'],
    ['v_prediction', 'other'],
  ])('%s is %s', (name, kind) => {
    expect(partOf(name, sdxl).kind).toBe(kind);
  });

  test('a name inside its part', () => {
    expect(partOf('conditioner.embedders.1.model.ln_final.weight', sdxl)).toEqual({
      kind: 'text-encoder',
      encoder: 'clip_g',
      bare: 'ln_final.weight',
    });
    expect(partOf('model.diffusion_model.out.2.bias', sdxl)).toEqual({
      kind: 'denoiser',
      bare: 'out.2.bias',
    });
  });
});

describe('moving averages', () => {
  // The names in CompVis' published v1-4 checkpoint with EMA.
  test.each([
    ['model.diffusion_model.input_blocks.0.0.weight', 'model_ema.diffusion_modelinput_blocks00weight'],
    ['model.diffusion_model.time_embed.2.bias', 'model_ema.diffusion_modeltime_embed2bias'],
    ['first_stage_model.quant_conv.bias', undefined],
  ])('of %s', (name, ema) => {
    expect(emaNameOf(name)).toBe(ema);
  });
});

describe('pruning', () => {
  test('drops what training left and keeps everything else, markers among it', () => {
    const names = [...readCheckpoint('sd15').keys()];
    expect(listPruned(names, sd15)).toEqual([]);
    const extra = [
      'v_pred',
      'model_ema.decay',
      'betas',
      'model_ema.diffusion_modelout0weight',
      'optimizer_states.0',
    ];
    expect(listPruned([...extra, ...names, 'unknown.weight'], sd15)).toEqual([
      { name: 'model_ema.decay', why: 'junk' },
      { name: 'betas', why: 'junk' },
      { name: 'model_ema.diffusion_modelout0weight', why: 'ema' },
      { name: 'optimizer_states.0', why: 'optimizer' },
    ]);
  });
});
