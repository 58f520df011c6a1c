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

/**
 * Text without NUL, lone surrogates, U+FFFE and U+FFFF, which become U+FFFD: at the start of UTF-16 a U+FFFE turns the
 * byte order round for whoever reads it, and neither of the two may stand in XML.
 */
export function wellFormed(text: string, what: string, warn: WarningSink): string {
  const cleaned = text.toWellFormed().replace(/[\0\ufffe\uffff]/g, '\ufffd');
  if (cleaned !== text) warn('value/cleaned', 'lone surrogates, NUL, U+FFFE or U+FFFF became U+FFFD', what);
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
