import type { WarningSink } from '../kit/warnings.ts';

/** Lines that Civitai would take for its own: `Steps: ` begins the details, `Template: ` is cut out. */
const TAKEN_LINE = /^(?=(?:Steps|Template|Negative Template): )/gm;
const MODEL_EXTENSION = /\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf)$/i;

/**
 * A prompt as files can hold it: LF line ends, no NUL, no lone surrogate. A line that a reader would take for
 * its own gets one leading space, which A1111 strips again.
 */
export function cleanPrompt(prompt: string, what: string, warn: WarningSink): string {
  const cleaned = wellFormed(prompt, what, warn).replace(/\r\n?/g, '\n').trim();
  return cleaned.replace(TAKEN_LINE, ' ');
}

/** Text without NUL and lone surrogates, which become U+FFFD. */
export function wellFormed(text: string, what: string, warn: WarningSink): string {
  const cleaned = text.toWellFormed().replaceAll('\0', '\ufffd');
  if (cleaned !== text) warn('value/cleaned', 'lone surrogates or NUL characters became U+FFFD', what);
  return cleaned;
}

/** A value of the details line: without the characters that end or quote one. */
export function cleanValue(value: string): string {
  return value
    .toWellFormed()
    .replace(/[\s,:"\0]+/g, ' ')
    .trim();
}

/** A model file's name without folders and extension, as A1111 names models. */
export function fileStem(name: string): string {
  const file = name.split(/[\\/]/).at(-1) ?? name;
  return cleanValue(file.replace(MODEL_EXTENSION, ''));
}
