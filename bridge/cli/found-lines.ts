/** Longer values are cut on a terminal; --json has them whole. */
const MAX_VALUE_CHARACTERS = 2_000;

/** What was found as indented lines, a level for every object in it; empty lists and what is undefined are left out. */
export function linesOf(found: object, indent: string): string[] {
  return Object.entries(found).flatMap(([key, value]) => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      return [`${indent}${key}:`, ...linesOf(value, `${indent}  `)];
    }
    const text = ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : String(value);
    const shown =
      text.length > MAX_VALUE_CHARACTERS
        ? `${text.slice(0, MAX_VALUE_CHARACTERS)}… (${text.length} characters)`
        : text;
    return [`${indent}${key}: ${shown.replaceAll('\n', `\n${indent}  `)}`];
  });
}
