/** Decoding and trimming as the programs' own languages do it. Nothing here throws. */

/** What Python's `str.strip()` takes off; unlike JavaScript's `trim()` it leaves a byte order mark alone. */
const PYTHON_SPACE = new Set('\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000');
for (let code = 0x2000; code <= 0x200a; code++) PYTHON_SPACE.add(String.fromCharCode(code));

/** Whether Python counts this character as white space. */
export function isPythonSpace(char: string | undefined): boolean {
  return char !== undefined && PYTHON_SPACE.has(char);
}

/** Python's `str.strip()`. */
export function stripPython(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isPythonSpace(text[start])) start++;
  while (end > start && isPythonSpace(text[end - 1])) end--;
  return text.slice(start, end);
}

/** UTF-16 of the byte order named; halves of pairs become U+FFFD, a byte order mark stays as U+FEFF. */
export function utf16(bytes: Uint8Array, order: 'be' | 'le'): string {
  return new TextDecoder(`utf-16${order}`, { ignoreBOM: true }).decode(bytes);
}

/** UTF-8; broken sequences become U+FFFD, a byte order mark goes. */
export function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}

/** UTF-8, or undefined where the bytes are not. */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}

/** What browsers decode when told "ascii" or "iso-8859-1". */
export function windows1252(bytes: Uint8Array): string {
  return new TextDecoder('windows-1252').decode(bytes);
}

/** Python's `decode('ascii', errors='replace')`. */
export function pythonAscii(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\ufffd')).join('');
}

/** The bytes of a text of one character a byte. */
export function bytesOfLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff);
}

/** Whether a UserComment's 8-byte character code starts so. */
export function hasCode(comment: Uint8Array, code: string): boolean {
  return comment.length >= 8 && windows1252(comment.subarray(0, 8)).startsWith(code);
}

/** JSON, or undefined where it is not; `NaN` counts as not, as it does to JavaScript. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Drops the members that are undefined, so that an absent fact is an absent member. */
export function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
