/** Key that carries the record of what did not fit; always last. */
export const STAGE_KEY = 'Metadata Fallback';

/** One key of the details line that we write. */
export type DetailKeyRow = {
  readonly key: string;
  /** A number from 0 follows, behind a space: `LoRA 0`. */
  readonly numbered?: true;
  /** The first reduction leaves it out. */
  readonly fullOnly?: true;
  /** `minimal` starts with it; everything else, the user's keys too, is gone there. */
  readonly minimal?: true;
  /** When it goes if `minimal` is still too large: the lowest first, equal numbers together. Absent: never. */
  readonly goes?: number;
  /** The name under which it is reported when it goes; its key where absent. */
  readonly reportedAs?: string;
  /** Stands behind the user's own keys. */
  readonly trails?: true;
};

/** In the order they are written. */
const TABLE = [
  { key: 'Steps', minimal: true },
  { key: 'Sampler', minimal: true, goes: 13 },
  { key: 'Schedule type', minimal: true, goes: 8 },
  { key: 'CFG scale', minimal: true, goes: 12 },
  { key: 'Distilled CFG Scale', minimal: true, goes: 9 },
  { key: 'Seed', minimal: true, goes: 14 },
  { key: 'Size', minimal: true, goes: 10 },
  { key: 'Model hash', minimal: true },
  { key: 'Model', minimal: true, goes: 11 },
  { key: 'VAE hash', minimal: true, goes: 4, reportedAs: 'VAE' },
  { key: 'VAE', minimal: true, goes: 4 },
  { key: 'Denoising strength' },
  { key: 'Clip skip' },
  { key: 'Batch index' },
  { key: 'Batch size' },
  { key: 'Weight dtype' },
  { key: 'Shift' },
  { key: 'Max shift' },
  { key: 'Base shift' },
  { key: 'Upscaler' },
  { key: 'ControlNet', numbered: true },
  { key: 'LoRA', numbered: true, minimal: true, goes: 1, reportedAs: 'LoRA strengths' },
  { key: 'Text encoders' },
  { key: 'LoRAs' },
  { key: 'Lora hashes', minimal: true, goes: 3 },
  // Kept apart from the others as `Parameters.hashes`; its entries go one kind at a time.
  { key: 'Hashes' },
  { key: 'Civitai resources', minimal: true, goes: 0, trails: true },
  { key: 'Version', minimal: true, goes: 6, trails: true },
  { key: 'Samplers', trails: true },
  { key: 'Samplers detail', fullOnly: true, trails: true },
  { key: STAGE_KEY, trails: true },
] as const satisfies readonly DetailKeyRow[];

/** Every key that we write. What is not in it is a key of the user's own, or of a text that passes through. */
export const DETAIL_KEYS: readonly DetailKeyRow[] = TABLE;

type KeyOf<Row extends DetailKeyRow> = Row extends { readonly numbered: true }
  ? `${Row['key']} ${number}`
  : Row['key'];
/** A key as it stands in the line: `Steps`, `LoRA 0`. */
export type DetailKey = KeyOf<(typeof TABLE)[number]>;

/** When kinds of entries in `Hashes` go, in the same order as the keys; the model's own entry never does. */
export const HASHES_GO: readonly {
  readonly goes: number;
  readonly reportedAs: string;
  readonly entries: RegExp;
}[] = [
  { goes: 2, reportedAs: 'embedding hashes', entries: /^embed:/ },
  { goes: 4, reportedAs: 'VAE', entries: /^vae$/ },
  { goes: 5, reportedAs: 'hashes of LoRAs and further models', entries: /^(lora|model):/ },
];

/** From here on in that order, keys say how the picture is made again. */
export const MAKES_THE_PICTURE = 7;

/**
 * Whether a key of a details line belongs to one of these rows.
 *
 * @param flags `i` where letter case does not matter: readers look keys up without it
 */
export function matcherOf(rows: readonly DetailKeyRow[], flags: '' | 'i' = ''): (key: string) => boolean {
  const patterns = rows.map(({ key, numbered }) => new RegExp(`^${key}${numbered ? ' \\d+' : ''}$`, flags));
  return (key) => patterns.some((pattern) => pattern.test(key));
}
