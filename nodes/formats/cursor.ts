import { type ErrorCode, LineageError } from '../kit/errors.ts';

/**
 * Bounds-checked reads over a byte slice. Each takes the error code of the format that is being read, so that a
 * lying length ends in that format's error and never in `undefined`. Offsets are in bytes from the slice's start.
 */

/** Throws `code` unless `bytes` holds `length` bytes from `at` on. */
export function need(bytes: Uint8Array, at: number, length: number, code: ErrorCode): void {
  if (at < 0 || length < 0 || at + length > bytes.length) {
    throw new LineageError(code, `expected ${length} bytes at ${at}, got a block of ${bytes.length} bytes`, {
      byte: at,
    });
  }
}

/** One unsigned byte. */
export function u8(bytes: Uint8Array, at: number, code: ErrorCode): number {
  need(bytes, at, 1, code);
  return bytes[at] ?? 0;
}

/** Unsigned 16-bit, big-endian. */
export function u16be(bytes: Uint8Array, at: number, code: ErrorCode): number {
  need(bytes, at, 2, code);
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Unsigned 16-bit, little-endian. */
export function u16le(bytes: Uint8Array, at: number, code: ErrorCode): number {
  need(bytes, at, 2, code);
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** Unsigned 32-bit, big-endian. */
export function u32be(bytes: Uint8Array, at: number, code: ErrorCode): number {
  return u16be(bytes, at, code) * 0x1_0000 + u16be(bytes, at + 2, code);
}

/** Unsigned 32-bit, little-endian. */
export function u32le(bytes: Uint8Array, at: number, code: ErrorCode): number {
  return u16le(bytes, at, code) + u16le(bytes, at + 2, code) * 0x1_0000;
}

/** Unsigned 64-bit, big-endian; a value above 2^53 - 1 is an error, since no file is that long. */
export function u64be(bytes: Uint8Array, at: number, code: ErrorCode): number {
  const value = u32be(bytes, at, code) * 0x1_0000_0000 + u32be(bytes, at + 4, code);
  if (!Number.isSafeInteger(value)) {
    throw new LineageError(code, `expected a length below 2^53, got ${value}`, { byte: at });
  }
  return value;
}

/** Four bytes as Latin-1 text: the type of a chunk or box. */
export function fourCharsAt(bytes: Uint8Array, at: number, code: ErrorCode): string {
  need(bytes, at, 4, code);
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
}

/** Bytes as Latin-1 text. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Latin-1 text as bytes; the caller has checked that no character is above U+00FF. */
export function latin1Bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Whether `bytes` holds exactly these bytes at `at`; false where the block ends before. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array, at = 0): boolean {
  if (at + prefix.length > bytes.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

/** The value as big-endian bytes. */
export function u16beBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** The value as big-endian bytes. */
export function u32beBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The value as little-endian bytes. */
export function u32leBytes(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
