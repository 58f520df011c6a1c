/**
 * Whether a text is generation parameters as A1111 and its kin write them: a line that starts with `Steps: ` or `Negative prompt: `.
 * Such a block is ours to replace; any other comment belongs to somebody else.
 */
export function isInfotext(text: string): boolean {
  return /^(?:Steps|Negative prompt): /m.test(text) || text.includes('Metadata Fallback: ');
}
