import { fourCharsAt, latin1, latin1Bytes, startsWith, u32be } from './cursor.ts';

/**
 * C2PA manifest stores by their structure: a JUMBF superbox whose description names C2PA's content type. A picture
 * that carries one is signed: whoever changes the file breaks the signature.
 * @see ISO/IEC 19566-5 (JUMBF), annex A; https://spec.c2pa.org/ (manifests, "Use of JUMBF" and embedding in files)
 */

/** `c2pa`, then the twelve bytes that every content type of ISO's own shares. */
const C2PA_CONTENT = Uint8Array.of(
  ...[0x63, 0x32, 0x70, 0x61, 0x00, 0x11, 0x00, 0x10, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71],
);
/** `JP`, the identifier of JPEG's own boxes in an APP11 segment; then box instance u16 · packet u32. */
const APP11_MARK = latin1Bytes('JP');
const APP11_HEAD_BYTES = 8;
const SUPERBOX = 'jumb';
const DESCRIPTION = 'jumd';

/**
 * Whether a block begins with a C2PA manifest store: length u32 BE · `jumb` · length u32 BE · `jumd` · content type
 * of 16 bytes. Only the head is looked at: a JPEG spreads the rest over further segments.
 */
export function isManifestStore(block: Uint8Array): boolean {
  const superbox = readHead(block, 0);
  const description = superbox?.type === SUPERBOX ? readHead(block, superbox.data) : undefined;
  return description?.type === DESCRIPTION && startsWith(block, C2PA_CONTENT, description.data);
}

/** Whether the data of an APP11 segment are a packet of JUMBF; the first packet of a store begins with its head. */
export function isManifestPacket(data: Uint8Array): boolean {
  return startsWith(data, APP11_MARK) && isManifestStore(data.subarray(APP11_HEAD_BYTES));
}

/**
 * Where the store stands in C2PA's `uuid` box, behind its user type: version and flags u32 · purpose, closed by NUL ·
 * offset u64. Undefined for another purpose than `manifest`.
 */
export function storeInUuidBox(content: Uint8Array): Uint8Array | undefined {
  const end = content.indexOf(0, 4);
  const purpose = latin1(content.subarray(4, Math.max(4, end)));
  return purpose === 'manifest' ? content.subarray(end + 1 + 8) : undefined;
}

/** The head of a box: its type, and where its content begins. */
function readHead(
  block: Uint8Array,
  at: number,
): { readonly type: string; readonly data: number } | undefined {
  if (at + 16 > block.length) return undefined;
  const length = u32be(block, at, 'image/undecodable');
  const type = fourCharsAt(block, at + 4, 'image/undecodable');
  // A length of 1 stands for one of 64 bits behind the type.
  return { type, data: at + (length === 1 ? 16 : 8) };
}
