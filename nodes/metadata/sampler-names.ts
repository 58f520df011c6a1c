/** A1111's display name of ComfyUI's samplers, where A1111 has the sampler. */
const SAMPLER_NAMES: ReadonlyMap<string, string> = new Map([
  ['euler', 'Euler'],
  ['euler_ancestral', 'Euler a'],
  ['heun', 'Heun'],
  ['dpm_2', 'DPM2'],
  ['dpm_2_ancestral', 'DPM2 a'],
  ['lms', 'LMS'],
  ['dpm_fast', 'DPM fast'],
  ['dpm_adaptive', 'DPM adaptive'],
  ['dpmpp_2s_ancestral', 'DPM++ 2S a'],
  ['dpmpp_sde', 'DPM++ SDE'],
  ['dpmpp_sde_gpu', 'DPM++ SDE'],
  ['dpmpp_2m', 'DPM++ 2M'],
  ['dpmpp_2m_sde', 'DPM++ 2M SDE'],
  ['dpmpp_2m_sde_gpu', 'DPM++ 2M SDE'],
  ['dpmpp_3m_sde', 'DPM++ 3M SDE'],
  ['dpmpp_3m_sde_gpu', 'DPM++ 3M SDE'],
  ['ddim', 'DDIM'],
  ['uni_pc', 'UniPC'],
  ['uni_pc_bh2', 'UniPC'],
  ['lcm', 'LCM'],
  ['restart', 'Restart'],
]);

/** A1111's display name of ComfyUI's schedulers, where A1111 has the scheduler. */
const SCHEDULE_TYPES: ReadonlyMap<string, string> = new Map([
  ['normal', 'Normal'],
  ['karras', 'Karras'],
  ['exponential', 'Exponential'],
  ['sgm_uniform', 'SGM Uniform'],
  ['simple', 'Simple'],
  ['ddim_uniform', 'DDIM'],
  ['beta', 'Beta'],
  ['kl_optimal', 'KL Optimal'],
]);

/**
 * The sampler names that Civitai lists; it shows any other name as it stands but cannot filter by it. Karras is
 * the only schedule that is part of a name, and only of these.
 *
 * @see https://github.com/civitai/civitai/tree/main/src/utils/metadata
 */
export const CIVITAI_SAMPLERS = [
  'Euler a',
  'Euler',
  'LMS',
  'Heun',
  'DPM2',
  'DPM2 a',
  'DPM++ 2S a',
  'DPM++ 2M',
  'DPM++ SDE',
  'DPM++ 2M SDE',
  'DPM fast',
  'DPM adaptive',
  'LMS Karras',
  'DPM2 Karras',
  'DPM2 a Karras',
  'DPM++ 2S a Karras',
  'DPM++ 2M Karras',
  'DPM++ SDE Karras',
  'DPM++ 2M SDE Karras',
  'DDIM',
  'PLMS',
  'UniPC',
  'LCM',
] as const;

const LISTED: ReadonlySet<string> = new Set(CIVITAI_SAMPLERS);

/** Schedules that a Civitai name without one stands for. */
const PLAIN_SCHEDULERS: ReadonlySet<string> = new Set(['normal', 'simple', 'sgm_uniform', 'ddim_uniform']);

/** The name A1111 shows for ComfyUI's sampler id; an id that A1111 does not have stays as it is. */
export function toA1111Sampler(sampler: string): string {
  return SAMPLER_NAMES.get(sampler) ?? sampler;
}

/** The `Schedule type` A1111 shows for ComfyUI's scheduler id; others stay as they are. */
export function toScheduleType(scheduler: string): string {
  return SCHEDULE_TYPES.get(scheduler) ?? scheduler;
}

/**
 * Sampler and scheduler in one name, as Civitai lists them: `dpmpp_2m` with `karras` is `DPM++ 2M Karras`.
 * A combination that Civitai does not list gets the scheduler's display name behind the sampler's, so that nothing
 * is lost: `euler` with `beta` is `Euler Beta`.
 *
 * @param scheduler ComfyUI's id; absent where the graph names none
 */
export function toCivitaiSampler(sampler: string, scheduler?: string): string {
  const name = toA1111Sampler(sampler);
  if (scheduler === undefined || scheduler === '' || (LISTED.has(name) && PLAIN_SCHEDULERS.has(scheduler)))
    return name;
  return `${name} ${toScheduleType(scheduler)}`;
}
