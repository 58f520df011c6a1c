import { type Loss, lossOf } from './losses.ts';
import { type Habit, type Reader, type ReaderReport, type ReaderView, type Sees, unread } from './reader.ts';
import { bytesOfLatin1, jsonOf, present, utf8 } from './text.ts';

/**
 * ComfyUI's front end, when a file is dropped on it. A workflow wins; without one it takes the prompt graph, and
 * without that it builds a small graph from an A1111 text.
 *
 * @see https://github.com/Comfy-Org/ComfyUI_frontend src/scripts/metadata, src/scripts/pnginfo.ts
 */
const HABITS: readonly Habit[] = [
  {
    about: ['size'],
    when: () => true,
    loss: 'size-rounded',
  },
  {
    about: ['seed'],
    when: (text) => text !== String(Number(text)),
    loss: 'seed-rounded-comfyui',
  },
  {
    about: ['scheduler'],
    when: () => true,
    loss: 'schedule-ignored',
  },
  {
    about: ['positive', 'negative'],
    when: (_, { view }) =>
      view.pngTexts.some((text) => text.chunk === 'tEXt' && /[\x80-\xff]/.test(text.text)),
    loss: 'latin1-text',
  },
];

export const comfyui: Reader = {
  id: 'comfyui',
  name: 'ComfyUI front end',
  holds: [
    'positive',
    'negative',
    'steps',
    'sampler',
    'scheduler',
    'cfg',
    'seed',
    'size',
    'model',
    'clipSkip',
    'prompt',
    'workflow',
  ],
  habits: HABITS,
  read(view) {
    if (view.format === 'jpeg') return unread('comfyui', { id: 'jpeg-not-opened' });
    if (view.format === 'avif' && view.majorBrand !== 'avif') {
      return unread('comfyui', { id: 'avif-brand', brand: view.majorBrand ?? '' });
    }
    const texts = view.format === 'png' ? pngTexts(view) : exifTexts(view);
    const graph = graphOf(texts);
    if (graph.sees.workflow || graph.sees.prompt) return { reader: 'comfyui', ok: true, ...graph };
    const parameters = texts.get('parameters');
    if (view.format === 'png' && parameters !== undefined) return importText(parameters, graph.problems);
    const [broken] = graph.problems;
    return unread('comfyui', broken ? { id: 'graph-not-json', graph: broken.what } : { id: 'no-workflow' });
  },
};

/** tEXt as UTF-8; compressed chunks give nothing that could be used. */
function pngTexts(view: ReaderView): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { keyword, text, chunk, compressed } of view.pngTexts) {
    if (compressed) continue;
    texts.set(keyword, chunk === 'tEXt' ? utf8(bytesOfLatin1(text)) : text);
  }
  return texts;
}

/** Any ASCII tag of IFD0, split at its first colon; the last byte counts as the closing NUL. */
function exifTexts(view: ReaderView): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const tag of view.ifd0Ascii) {
    const text = utf8(tag.bytes.subarray(0, -1));
    const colon = text.indexOf(':');
    if (colon < 0) continue;
    const key = text.slice(0, colon);
    texts.set(view.format === 'avif' ? key.toLowerCase() : key, text.slice(colon + 1));
  }
  return texts;
}

function graphOf(texts: ReadonlyMap<string, string>): {
  readonly sees: Sees;
  readonly problems: readonly Loss[];
} {
  const problems: Loss[] = [];
  const usable = (key: string) => {
    const text = texts.get(key);
    if (text === undefined) return false;
    if (jsonOf(text) !== undefined) return true;
    problems.push(lossOf(key, { id: 'graph-not-json' }));
    return false;
  };
  return { sees: { prompt: usable('prompt'), workflow: usable('workflow'), fromGraph: true }, problems };
}

/** The last line that starts with "Steps:", and the last "Negative prompt:" line before it; both are needed. */
function importText(text: string, before: readonly Loss[]): ReaderReport {
  const steps = text.lastIndexOf('\nSteps:');
  const negative = steps < 0 ? -1 : text.lastIndexOf('\nNegative prompt:', steps);
  if (negative < 0) {
    return unread('comfyui', { id: 'infotext-not-importable' });
  }
  const options = optionsOf(text.slice(steps + 1).split('\n', 1)[0] ?? '');
  const sampler = options.get('sampler');
  const id = sampler === undefined ? undefined : samplerId(sampler);
  const numberOf = (key: string) => {
    const value = options.get(key);
    return value === undefined ? undefined : String(Number(value));
  };
  const sees = present({
    positive: text.slice(0, negative).trim(),
    negative: text.slice(negative + '\nNegative prompt: '.length, steps).trim(),
    steps: numberOf('steps'),
    sampler: id && SAMPLER_IDS.has(id.sampler) ? sampler : undefined,
    scheduler: id?.scheduler,
    cfg: numberOf('cfg scale'),
    seed: numberOf('seed'),
    size: roundedSize(options.get('size')),
    model: options.get('model'),
    clipSkip: options.get('clip skip'),
    prompt: false,
    workflow: false,
  });
  const problems = [...before];
  if (id && !SAMPLER_IDS.has(id.sampler)) {
    problems.push(lossOf('Sampler', { id: 'sampler-unknown', sampler: id.sampler }));
  }
  return { reader: 'comfyui', ok: true, sees, problems };
}

/** `key: value` up to a comma; `"…"` and `{…}` may hold commas. What stands behind a second colon is dropped. */
function optionsOf(line: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  let from = 0;
  while (from < line.length) {
    const colon = line.indexOf(':', from);
    if (colon < 0) break;
    const start = colon + 1 + (/^\s*/.exec(line.slice(colon + 1, colon + 65))?.[0].length ?? 0);
    const end = closedEnd(line, start) ?? commaFrom(line, start);
    const value = line.slice(colon + 1, end).split(':', 1)[0] ?? '';
    options.set(line.slice(from, colon).trim().toLowerCase(), value.trim());
    from = end + 1;
  }
  return options;
}

function closedEnd(line: string, start: number): number | undefined {
  const close = line[start] === '"' ? '"' : line[start] === '{' ? '}' : undefined;
  if (close === undefined) return undefined;
  const at = line.indexOf(close, start + 1);
  if (at < 0) return undefined;
  return /^\s*(,|$)/.test(line.slice(at + 1, at + 65)) ? commaFrom(line, at) : undefined;
}

function commaFrom(line: string, from: number): number {
  const at = line.indexOf(',', from);
  return at < 0 ? line.length : at;
}

function samplerId(name: string): { readonly sampler: string; readonly scheduler: string } {
  const id = name.toLowerCase().replace('++', 'pp').replaceAll(' ', '_');
  if (!id.includes('karras')) return { sampler: id, scheduler: 'Normal' };
  return { sampler: id.replace('karras', '').replace(/_+$/, ''), scheduler: 'Karras' };
}

function roundedSize(size: string | undefined): string | undefined {
  const sides = size?.split('x', 2).map((side) => Math.ceil(Number(side) / 64) * 64);
  return sides?.length === 2 ? sides.join('x') : undefined;
}

/** ComfyUI's sampler ids, as far as an A1111 name leads to them. */
const SAMPLER_IDS: ReadonlySet<string> = new Set(
  (
    'euler euler_cfg_pp euler_ancestral euler_ancestral_cfg_pp heun heunpp2 dpm_2 dpm_2_ancestral lms dpm_fast ' +
    'dpm_adaptive dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde dpmpp_sde_gpu dpmpp_2m dpmpp_2m_cfg_pp ' +
    'dpmpp_2m_sde dpmpp_2m_sde_gpu dpmpp_3m_sde dpmpp_3m_sde_gpu ddpm lcm ipndm ipndm_v deis res_multistep ' +
    'res_multistep_cfg_pp res_multistep_ancestral res_multistep_ancestral_cfg_pp gradient_estimation ' +
    'gradient_estimation_cfg_pp er_sde seeds_2 seeds_3 sa_solver sa_solver_pece ddim uni_pc uni_pc_bh2'
  ).split(' '),
);
