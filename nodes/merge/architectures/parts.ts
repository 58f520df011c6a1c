import type { Architecture, EncoderId } from './define.ts';

/**
 * What a tensor of a checkpoint belongs to. `bare` is its name inside the part. `marker`: a setting that loaders read
 * from the file (v-prediction, scaled fp8 ...); losing one breaks the model. `ema`, `optimizer`, `junk`: left over
 * from training. `other`: nothing that is known.
 */
export type Part =
  | { readonly kind: 'denoiser' | 'vae'; readonly bare: string }
  | { readonly kind: 'text-encoder'; readonly encoder: EncoderId; readonly bare: string }
  | { readonly kind: 'marker' | 'ema' | 'optimizer' | 'junk' | 'other' };

/** @see https://github.com/comfyanonymous/ComfyUI/pull/7840 and comfy/supported_models.py, comfy/utils.py */
const MARKERS = new Set(['v_pred', 'ztsnr', 'edm_mean', 'edm_std', 'scaled_fp8']);
const MARKER_STARTS = ['edm_vpred.'];

const OPTIMIZER_STARTS = ['optimizer', 'optim_', 'lr_scheduler', 'grad_scaler', 'native_amp_scaling_state'];

/** Schedule buffers of LDM's training module, which every loader computes from its configuration. */
const SCHEDULE = new Set([
  'betas',
  'alphas_cumprod',
  'alphas_cumprod_prev',
  'sqrt_alphas_cumprod',
  'sqrt_one_minus_alphas_cumprod',
  'log_one_minus_alphas_cumprod',
  'sqrt_recip_alphas_cumprod',
  'sqrt_recipm1_alphas_cumprod',
  'posterior_variance',
  'posterior_log_variance_clipped',
  'posterior_mean_coef1',
  'posterior_mean_coef2',
  'lvlb_weights',
  'logvar',
  'scale_factor',
  'denoiser.sigmas',
]);
/** Counters of trainers, and the losses (perceptual network, discriminator) that VAEs were trained against. */
const TRAINER = new Set(['global_step', 'epoch', 'pytorch-lightning_version', 'model_ema.decay']);
const TRAINER_STARTS = ['callbacks', 'loops', 'hyper_parameters', 'first_stage_model.loss.', 'loss.'];

const EMA_START = 'model_ema.';

/**
 * What a tensor belongs to, by its canonical name (a file in other names goes through its key map first; a denoiser
 * without its checkpoint's prefix is understood as well).
 */
export function partOf(name: string, architecture: Architecture): Part {
  const lastStep = name.slice(name.lastIndexOf('.') + 1);
  if (MARKERS.has(lastStep) || startsWithAny(name, MARKER_STARTS)) return { kind: 'marker' };
  if (SCHEDULE.has(name) || TRAINER.has(name) || startsWithAny(name, TRAINER_STARTS)) return { kind: 'junk' };
  if (name === `${EMA_START}num_updates`) return { kind: 'junk' };
  if (name.startsWith(EMA_START)) return { kind: 'ema' };
  if (startsWithAny(name, OPTIMIZER_STARTS)) return { kind: 'optimizer' };
  for (const { id, prefixes } of architecture.encoders ?? []) {
    const prefix = prefixes.find((start) => name.startsWith(start));
    if (prefix !== undefined) return { kind: 'text-encoder', encoder: id, bare: name.slice(prefix.length) };
  }
  const vae = architecture.vae?.find((start) => name.startsWith(start));
  if (vae !== undefined) return { kind: 'vae', bare: name.slice(vae.length) };
  const { prefix } = architecture;
  if (prefix !== '' && name.startsWith(prefix)) return { kind: 'denoiser', bare: name.slice(prefix.length) };
  return isNamed(name, architecture) ? { kind: 'denoiser', bare: name } : { kind: 'other' };
}

/** Whether a name without a prefix begins as the denoiser's tensors do. */
function isNamed(bare: string, { blocks }: Architecture): boolean {
  const plan = 'slots' in blocks ? blocks : blocks.supermerger;
  const starts = [
    ...plan.slots.flatMap(({ denoiser }) => denoiser ?? []),
    ...Object.values(plan.also ?? {}).flat(),
  ];
  return startsWithAny(bare, starts);
}

function startsWithAny(name: string, starts: readonly string[]): boolean {
  return starts.some((start) => name.startsWith(start));
}

/**
 * The name under which LDM keeps the moving average of a weight: `model_ema.`, then the name without its leading
 * `model.` and without dots. Undefined for tensors outside `model.`, which have none.
 */
export function emaNameOf(name: string): string | undefined {
  return name.startsWith('model.') ? EMA_START + name.slice('model.'.length).replaceAll('.', '') : undefined;
}

/** A tensor that pruning leaves out, and why. */
export type Pruned = { readonly name: string; readonly why: 'ema' | 'optimizer' | 'junk' };

/**
 * What pruning would leave out, in the order of the names: moving averages, states of optimizers, trainers' leftovers.
 * Markers and whatever is not known stay.
 */
export function listPruned(names: Iterable<string>, architecture: Architecture): readonly Pruned[] {
  return [...names].flatMap((name) => {
    const { kind } = partOf(name, architecture);
    return kind === 'ema' || kind === 'optimizer' || kind === 'junk' ? [{ name, why: kind }] : [];
  });
}
