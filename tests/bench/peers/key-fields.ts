import type { ReaderReport, Sees } from '../../../nodes/metadata/readers/reader.ts';

/** What a picture was made from, as a person would say it. */
export type Made = {
  readonly positive: string;
  readonly negative: string;
  /** Of the files by their kind: ten digits, as sites show them. */
  readonly hashes: Readonly<Record<'model' | 'vae' | 'lora' | 'embedding', string>>;
};

/** A key field, and whether a reader shows it: by what it names itself, or by the lines it would print. */
type KeyField = {
  readonly name: string;
  /** The prompt graph does not tell it. */
  readonly beyondGraph?: true;
  readonly isIn: (sees: Sees, lines: readonly string[], made: Made) => boolean;
};

const lineLike =
  (pattern: RegExp): KeyField['isIn'] =>
  (_, lines) =>
    lines.some((line) => pattern.test(line));
const hashOf =
  (kind: keyof Made['hashes']): KeyField['isIn'] =>
  (_, lines, made) =>
    lines.some((line) => line.includes(made.hashes[kind]));

/**
 * The twenty, for the graph of `keeping.ts`. Either writer's spelling counts: `Euler` or `euler`, with the extension of
 * a file or without, the schedule in a key of its own or glued to the sampler's name.
 */
export const KEY_FIELDS: readonly KeyField[] = [
  { name: 'positive prompt', isIn: (sees, _, made) => plain(sees.positive) === plain(made.positive) },
  { name: 'negative prompt', isIn: (sees, _, made) => plain(sees.negative) === plain(made.negative) },
  { name: 'steps', isIn: ({ steps }) => Number(steps) === 28 },
  { name: 'sampler', isIn: ({ sampler = '' }) => /^(DPM\+\+ 2M|dpmpp_2m)(?! SDE|_sde)/i.test(sampler) },
  {
    name: 'schedule',
    isIn: ({ scheduler = '', sampler = '' }) => /karras/i.test(scheduler) || /[ _]karras$/i.test(sampler),
  },
  { name: 'CFG scale', isIn: ({ cfg }) => Number(cfg) === 6.5 },
  { name: 'seed', isIn: ({ seed }) => seed === '721897303308196' },
  { name: 'size', isIn: ({ size }) => size === '64x64' },
  { name: 'clip skip', isIn: ({ clipSkip }) => Number(clipSkip) === 2 },
  { name: 'denoising strength', isIn: lineLike(/denois[^:]*: 0\.75$/i) },
  { name: 'model', isIn: ({ model = '' }) => /^harbour_v3(\.safetensors)?$/.test(model) },
  { name: 'hash of the model', beyondGraph: true, isIn: hashOf('model') },
  { name: 'VAE', isIn: lineLike(/vae: soft_vae(\.safetensors)?$/i) },
  { name: 'hash of the VAE', beyondGraph: true, isIn: hashOf('vae') },
  { name: 'LoRA', isIn: lineLike(/ink_lines/) },
  {
    name: 'weight of the LoRA',
    isIn: lineLike(/<lora:ink_lines:0\.6>|strength[^:]*: 0\.6\b|weight: 0\.6$/i),
  },
  { name: 'hash of the LoRA', beyondGraph: true, isIn: hashOf('lora') },
  { name: 'hash of the embedding', beyondGraph: true, isIn: hashOf('embedding') },
  { name: 'prompt graph', isIn: ({ prompt }) => prompt === true },
  { name: 'workflow', isIn: ({ workflow }) => workflow === true },
];

/** How many of the twenty a reader shows. One that takes its facts from the graph shows what stands there. */
export function countShown({ ok, sees }: ReaderReport, made: Made): number {
  if (!ok) return 0;
  const lines = linesOf(sees, '');
  return KEY_FIELDS.filter(({ name, beyondGraph, isIn }) => {
    const isGraph = name === 'prompt graph' || name === 'workflow';
    return sees.fromGraph && sees.prompt && !isGraph ? !beyondGraph : isIn(sees, lines, made);
  }).length;
}

/** `key: value` for every text or number in it, however deep. */
function linesOf(value: unknown, key: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${key}: ${String(value)}`];
  return Object.entries(value).flatMap(([inner, part]) => linesOf(part, inner));
}

/** Without the tags of LoRAs that were asked for; white space counts as one space. */
function plain(text = ''): string {
  return text
    .replace(/<lora:[^<>]*>/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
