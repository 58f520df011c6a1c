import type { InputSpec } from '../kit/input-spec.ts';

/**
 * Declarations of inputs in ComfyUI's own spelling, as `/object_info` of ComfyUI 618b803d shows them.
 */

/** The largest side that ComfyUI takes. @see ComfyUI 618b803d nodes.py */
export const MAX_SIDE = 16_384;

/** An input by its type, with ComfyUI's options. */
export function input(type: string, options: InputSpec['options'] = {}): InputSpec {
  return { type, options };
}

/** A whole number from `min` to `max`. */
export function wholeNumber(
  initial: number,
  min: number,
  max: number,
  more: InputSpec['options'] = {},
): InputSpec {
  return { type: 'INT', options: { default: initial, min, max, ...more } };
}

/** A menu, spelt the newer way. */
export function menu(words: readonly string[]): InputSpec {
  return { type: 'COMBO', options: { multiselect: false, options: words } };
}

/** A menu, spelt the older way: its words stand for the type. */
export function oldMenu(words: readonly string[]): InputSpec {
  return { type: words, options: {} };
}

/** A text of several lines. */
export const LONG_TEXT: InputSpec = { type: 'STRING', options: { multiline: true } };
