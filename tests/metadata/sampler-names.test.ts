import { describe, expect, it } from 'vitest';
import {
  CIVITAI_SAMPLERS,
  toA1111Sampler,
  toCivitaiSampler,
  toScheduleType,
} from '../../nodes/metadata/sampler-names.ts';

describe('sampler names', () => {
  it.each([
    ['euler', 'Euler'],
    ['euler_ancestral', 'Euler a'],
    ['dpm_2_ancestral', 'DPM2 a'],
    ['dpmpp_2s_ancestral', 'DPM++ 2S a'],
    ['dpmpp_2m_sde_gpu', 'DPM++ 2M SDE'],
    ['dpmpp_3m_sde', 'DPM++ 3M SDE'],
    ['uni_pc_bh2', 'UniPC'],
    ['lcm', 'LCM'],
    ['heunpp2', 'heunpp2'],
    ['res_multistep', 'res_multistep'],
    ['constructor', 'constructor'],
  ])('%s is %s to A1111', (id, name) => expect(toA1111Sampler(id)).toBe(name));

  it.each([
    ['sgm_uniform', 'SGM Uniform'],
    ['ddim_uniform', 'DDIM'],
    ['kl_optimal', 'KL Optimal'],
    ['linear_quadratic', 'linear_quadratic'],
  ])('schedule %s is %s', (id, name) => expect(toScheduleType(id)).toBe(name));

  it.each([
    ['euler_ancestral', 'normal', 'Euler a'],
    ['euler', 'simple', 'Euler'],
    ['lms', 'karras', 'LMS Karras'],
    ['dpm_2', 'karras', 'DPM2 Karras'],
    ['dpm_2_ancestral', 'karras', 'DPM2 a Karras'],
    ['dpmpp_2s_ancestral', 'karras', 'DPM++ 2S a Karras'],
    ['dpmpp_2m', 'karras', 'DPM++ 2M Karras'],
    ['dpmpp_sde_gpu', 'karras', 'DPM++ SDE Karras'],
    ['dpmpp_2m_sde', 'karras', 'DPM++ 2M SDE Karras'],
    ['ddim', 'ddim_uniform', 'DDIM'],
    ['uni_pc', 'normal', 'UniPC'],
    ['lcm', 'sgm_uniform', 'LCM'],
  ])('%s with %s is the listed %s', (sampler, scheduler, name) => {
    expect(toCivitaiSampler(sampler, scheduler)).toBe(name);
    expect(CIVITAI_SAMPLERS).toContain(name);
  });

  it.each([
    ['euler', 'beta', 'Euler Beta'],
    ['heun', 'karras', 'Heun Karras'],
    ['dpmpp_3m_sde', 'karras', 'DPM++ 3M SDE Karras'],
    ['res_multistep', 'simple', 'res_multistep Simple'],
  ])('%s with %s is not listed and keeps both names: %s', (sampler, scheduler, name) => {
    expect(toCivitaiSampler(sampler, scheduler)).toBe(name);
    expect(CIVITAI_SAMPLERS).not.toContain(name);
  });

  it('lists 23 names, and the sampler alone where there is no scheduler', () => {
    expect(new Set(CIVITAI_SAMPLERS).size).toBe(23);
    expect(toCivitaiSampler('euler')).toBe('Euler');
  });
});
