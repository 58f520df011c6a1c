/**
 * Whether a text is generation parameters as A1111 and its kin write them: a line that starts with `Steps: `.
 * Such a block is ours to replace; any other comment belongs to somebody else.
 */
export function isInfotext(text: string): boolean {
  return text.startsWith('Steps: ') || text.includes('\nSteps: ') || text.includes('Metadata Fallback: ');
}
