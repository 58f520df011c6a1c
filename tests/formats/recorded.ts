import { readFileSync } from 'node:fs';

/** A recorded answer of another program: the JSON at this path below fixtures/. The caller names its type. */
export function readRecorded(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8'));
}

/** Base64 as bytes at an odd offset, since no file format promises an even one. */
export function unbase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}
