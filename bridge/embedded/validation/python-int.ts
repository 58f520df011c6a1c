/**
 * A whole number as Python's `int` reads a text; ComfyUI reads its query parameters by it.
 * @returns undefined for any other text, and for what no list is as long as
 */
export function pythonInt(text: string): number | undefined {
  const digits = /^[+-]?\d+(?:_\d+)*$/.exec(text.trim())?.[0];
  if (digits === undefined) return undefined;
  const value = Number(digits.replaceAll('_', ''));
  return Number.isSafeInteger(value) ? value : undefined;
}
