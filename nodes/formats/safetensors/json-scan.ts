import { isUtf8 } from 'node:buffer';
import { type ErrorCode, LineageError } from '../../kit/errors.ts';

/**
 * A strict JSON scanner over bytes. `JSON.parse` takes `2.0` for a whole number, keeps the last of two equal keys,
 * rounds integers above 2^53 and needs the whole document as one string; a hostile header lives on each of these.
 * The scanner builds nothing by itself: the caller says at each place what may stand there.
 */
export type JsonScan = {
  readonly bytes: Buffer;
  /** The next byte to read. */
  at: number;
  /** What every fault ends in. */
  readonly code: ErrorCode;
  /** Where `bytes` begin in the file, for the offsets in errors. */
  readonly fileAt: number;
  /** Short words that came before. */
  readonly recent: (string | undefined)[];
};

/** What serde_json allows, with the outermost value as level 1. */
const MAX_DEPTH = 127;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Words of this length or less are remembered, a few of them. */
const MAX_RECENT_BYTES = 16;
const RECENT_SLOTS = 64;

/**
 * Begins a scan.
 *
 * @param bytes a whole JSON document; viewed, not copied.
 * @throws LineageError `code` where it is not UTF-8 (a byte order mark fails at the first value)
 */
export function startScan(bytes: Uint8Array, code: ErrorCode, fileAt: number): JsonScan {
  const scan = {
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    code,
    fileAt,
    recent: new Array<string | undefined>(RECENT_SLOTS),
  };
  if (!isUtf8(bytes)) throw fault(scan, 'UTF-8', 'bytes that are none');
  return scan;
}

/** The error for the place where the scan stands; `got` is what stands there if it is not given. */
export function fault(scan: JsonScan, expected: string, got = describeByte(scan)): LineageError {
  return new LineageError(scan.code, `expected ${expected}, got ${got}`, { byte: scan.fileAt + scan.at });
}

function describeByte(scan: JsonScan): string {
  const byte = scan.bytes[scan.at];
  if (byte === undefined) return 'the end';
  return byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

/** The next byte behind white space, not consumed; -1 at the end. */
export function peek(scan: JsonScan): number {
  const { bytes } = scan;
  for (;;) {
    const byte = bytes[scan.at] ?? -1;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    scan.at++;
  }
}

/** Nothing but white space may follow. */
export function expectEnd(scan: JsonScan): void {
  if (peek(scan) !== -1) throw fault(scan, 'nothing but white space behind the object');
}

/** Reads an object; `visit` consumes the value of each key, in order, repeated keys included. */
export function readObject(scan: JsonScan, what: string, visit: (key: string) => void): void {
  if (peek(scan) !== OPEN_BRACE) throw fault(scan, what);
  scan.at++;
  if (peek(scan) === CLOSE_BRACE) {
    scan.at++;
    return;
  }
  for (;;) {
    const key = readString(scan, 'a key');
    if (peek(scan) !== COLON) throw fault(scan, '":"');
    scan.at++;
    visit(key);
    if (isLast(scan, CLOSE_BRACE, '"," or "}"')) return;
  }
}

/** Reads an array; `visit` consumes each item. */
export function readArray(scan: JsonScan, what: string, visit: () => void): void {
  if (peek(scan) !== OPEN_BRACKET) throw fault(scan, what);
  scan.at++;
  if (peek(scan) === CLOSE_BRACKET) {
    scan.at++;
    return;
  }
  for (;;) {
    visit();
    if (isLast(scan, CLOSE_BRACKET, '"," or "]"')) return;
  }
}

/** Consumes a comma (false) or the closing byte (true). */
function isLast(scan: JsonScan, close: number, expected: string): boolean {
  const byte = peek(scan);
  if (byte !== COMMA && byte !== close) throw fault(scan, expected);
  scan.at++;
  return byte === close;
}

/** Reads a string. Escapes must form whole code points: a lone surrogate is no text. */
export function readString(scan: JsonScan, what: string): string {
  if (peek(scan) !== QUOTE) throw fault(scan, what);
  const { bytes } = scan;
  const start = ++scan.at;
  let all = 0;
  let hasEscapes = false;
  for (;;) {
    const byte = bytes[scan.at];
    if (byte === undefined || byte < 0x20) throw fault(scan, 'the rest of a string');
    if (byte === QUOTE) break;
    all |= byte;
    if (byte === BACKSLASH) {
      hasEscapes = true;
      scan.at++;
    }
    scan.at++;
  }
  const end = scan.at++;
  if (hasEscapes) return readEscaped(scan, start, end);
  if (all >= 0x80) return bytes.toString('utf8', start, end);
  return end - start <= MAX_RECENT_BYTES ? readShort(scan, start, end) : bytes.toString('latin1', start, end);
}

/** The words of the format come by the million: a word that came before is compared instead of decoded, and shared. */
function readShort({ bytes, recent }: JsonScan, start: number, end: number): string {
  const length = end - start;
  const slot = (length * 8 + (bytes[start] ?? 0)) % RECENT_SLOTS;
  const known = recent[slot];
  if (known?.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const text = bytes.toString('latin1', start, end);
  recent[slot] = text;
  return text;
}

function readEscaped(scan: JsonScan, start: number, end: number): string {
  const text = parseLiteral(scan.bytes.toString('utf8', start - 1, end + 1));
  if (text !== undefined) return text;
  scan.at = start;
  throw fault(scan, 'escapes of JSON that stand for whole code points', 'others');
}

/** For a single string `JSON.parse` is as strict as it must be, but for lone surrogates. */
function parseLiteral(literal: string): string | undefined {
  try {
    const text: unknown = JSON.parse(literal);
    return typeof text === 'string' && text.isWellFormed() ? text : undefined;
  } catch {
    // An escape that JSON does not have: the caller says where.
    return undefined;
  }
}

/** Reads a whole number of 0 to 2^53 - 1: digits alone, neither sign, point, exponent nor leading zero. */
export function readUnsigned(scan: JsonScan, what: string): number {
  const first = peek(scan);
  if (!isDigit(first)) throw fault(scan, what);
  const start = scan.at;
  let value = 0;
  for (let byte = first; isDigit(byte); byte = scan.bytes[++scan.at] ?? -1) {
    value = value * 10 + (byte - 0x30);
    if (value > Number.MAX_SAFE_INTEGER) throw fault(scan, `${what} below 2^53`, 'more digits');
  }
  const next = scan.bytes[scan.at] ?? -1;
  const hasLeadingZero = first === 0x30 && scan.at > start + 1;
  if (hasLeadingZero || next === DOT || isExponent(next))
    throw fault(scan, `${what}, written in digits alone`);
  return value;
}

/** Consumes `null` if it stands here. */
export function skipNull(scan: JsonScan): boolean {
  return peek(scan) === 0x6e && skipWord(scan, 'null');
}

/**
 * Skips any value, checking that it is JSON.
 *
 * @param depth how many objects and arrays enclose it.
 */
export function skipValue(scan: JsonScan, depth: number): void {
  const byte = peek(scan);
  if (byte === QUOTE) readString(scan, 'a string');
  else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
    if (depth >= MAX_DEPTH) throw fault(scan, `at most ${MAX_DEPTH} levels of nesting`, 'more');
    const visit = (): void => skipValue(scan, depth + 1);
    if (byte === OPEN_BRACE) readObject(scan, 'an object', visit);
    else readArray(scan, 'an array', visit);
  } else if (byte === MINUS || isDigit(byte)) skipNumber(scan);
  else if (!(skipWord(scan, 'null') || skipWord(scan, 'true') || skipWord(scan, 'false')))
    throw fault(scan, 'a value');
}

function skipWord(scan: JsonScan, word: string): boolean {
  const isHere = scan.bytes.toString('latin1', scan.at, scan.at + word.length) === word;
  if (isHere) scan.at += word.length;
  return isHere;
}

/** -? digits, then an optional fraction and exponent; what a double cannot hold is no number. */
function skipNumber(scan: JsonScan): void {
  const start = scan.at;
  if (scan.bytes[scan.at] === MINUS) scan.at++;
  const isZero = scan.bytes[scan.at] === 0x30;
  if (skipDigits(scan) > 1 && isZero) throw fault(scan, 'a number without leading zeros', 'some');
  if (scan.bytes[scan.at] === DOT) {
    scan.at++;
    skipDigits(scan);
  }
  if (isExponent(scan.bytes[scan.at] ?? -1)) {
    const sign = scan.bytes[++scan.at];
    if (sign === MINUS || sign === 0x2b) scan.at++;
    skipDigits(scan);
  }
  if (!Number.isFinite(Number(scan.bytes.toString('latin1', start, scan.at))))
    throw fault(scan, 'a number that a double holds', 'a larger one');
}

/** One digit or more; answers with how many. */
function skipDigits(scan: JsonScan): number {
  const start = scan.at;
  while (isDigit(scan.bytes[scan.at] ?? -1)) scan.at++;
  if (scan.at === start) throw fault(scan, 'a digit');
  return scan.at - start;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}
