import { META_FIELDS, type MetaField, type Normaliser } from '../../rules/define.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { withoutLoraTags } from './lora-tags.ts';
import { asText } from './operations.ts';

/** A fact's value: text, a number as the graph spells it, or a switch. */
export type FactValue = string | number | boolean | ExactNumber;

const TEXT_FIELDS: ReadonlySet<MetaField> = new Set([
  'POSITIVE_PROMPT',
  'NEGATIVE_PROMPT',
  'T5_PROMPT',
  'CLIP_PROMPT',
]);

/** Choices that a widget shows for "no file". */
const NO_FILE: ReadonlySet<string> = new Set(['', 'none', 'null', 'undefined', 'n/a']);

/** Fields that hold a number. */
const NUMERIC_FIELDS: ReadonlySet<MetaField> = new Set(
  META_FIELDS.filter((field) =>
    /^(SEED|STEPS|CFG|GUIDANCE|DENOISE|CLIP_SKIP|IMAGE_|.*SHIFT$|.*STRENGTH|END_STEP|START_STEP|SCALE_BY|BATCH_SIZE|FRAME_)/.test(
      field,
    ),
  ),
);

export type Normalised =
  | { readonly kind: 'fact'; readonly value: FactValue }
  /** Nothing to tell: no file chosen. */
  | { readonly kind: 'absent' }
  /** A number was needed and something else came. */
  | { readonly kind: 'not-a-number' }
  /** A list or a dictionary, where one text is wanted. */
  | { readonly kind: 'wrong-type' };

/**
 * Brings a raw value into the form its field promises. Placeholders ("None") become absence, so that none can
 * reach a file.
 */
export function normaliseValue(field: MetaField, raw: Json, how: Normaliser | undefined): Normalised {
  const value = how === undefined ? raw : applyNormaliser(raw, how);
  if (value === null) return { kind: 'absent' };
  if (typeof value === 'object' && !(value instanceof ExactNumber)) return { kind: 'wrong-type' };
  if (TEXT_FIELDS.has(field)) return { kind: 'fact', value: asText(value) };
  if (NUMERIC_FIELDS.has(field)) return asNumber(value);
  const text = asText(value).trim();
  return NO_FILE.has(text.toLowerCase()) ? { kind: 'absent' } : { kind: 'fact', value: text };
}

/** Numbers may come as text, as ComfyUI itself accepts them. 1e999 is none: no reader holds it. */
function asNumber(value: string | number | boolean | ExactNumber): Normalised {
  if (typeof value === 'number' || value instanceof ExactNumber)
    return Number.isFinite(Number(asText(value))) ? { kind: 'fact', value } : { kind: 'not-a-number' };
  const text = typeof value === 'string' ? value.trim() : '';
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return { kind: 'not-a-number' };
  const number = Number(text);
  if (!Number.isFinite(number)) return { kind: 'not-a-number' };
  // `.5` and `007` are numbers, but not as JSON spells them.
  const isJson = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text);
  return { kind: 'fact', value: isJson && String(number) !== text ? new ExactNumber(text) : number };
}

function applyNormaliser(raw: Json, how: Normaliser): Json {
  switch (how) {
    case 'clip-skip':
      return Math.abs(Number(asText(raw)));
    case 'width-of':
      return sizeIn(raw)?.width ?? null;
    case 'height-of':
      return sizeIn(raw)?.height ?? null;
    case 'sigma-count':
      return sigmaCount(raw);
    case 'split-at-denoise':
      // Needs the steps of the same sampler: `ranges.ts` turns the fraction into steps.
      return raw;
    case 'without-lora-tags':
      return typeof raw === 'string' ? withoutLoraTags(raw) : raw;
  }
}

function sizeIn(raw: Json): { readonly width: number; readonly height: number } | undefined {
  const found = /(\d{2,5})\s*[x×]\s*(\d{2,5})/i.exec(asText(raw));
  return found ? { width: Number(found[1]), height: Number(found[2]) } : undefined;
}

/** Steps lie between sigmas: n sigmas make n - 1 steps. */
function sigmaCount(raw: Json): Json {
  const count = Array.isArray(raw)
    ? raw.length
    : (asText(raw).match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? []).length;
  return count > 1 ? count - 1 : null;
}
