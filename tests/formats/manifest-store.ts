import { concatBytes } from '../../nodes/formats/assemble.ts';

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, part) => sum + part.length, 0));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

/** `jumd`: content type of 16 bytes · toggles u8 (3: asked for by its label, which follows) · label · NUL. */
function description(type: string, label: string): Buffer {
  return box('jumd', Buffer.from(type, 'hex'), Buffer.from([3]), Buffer.from(`${label}\0`));
}

/**
 * A manifest store by hand, as C2PA's specification lays it out: a superbox `c2pa` that holds one manifest (`c2ma`) with a
 * box of JSON in the place of its claim.
 */
export const MANIFEST_STORE: Uint8Array = box(
  'jumb',
  description('6332706100110010800000aa00389b71', 'c2pa'),
  box(
    'jumb',
    description('63326d6100110010800000aa00389b71', 'urn:uuid:3fad1ead-8ed5-44d0-873b-ea5f58adea82'),
    box('json', Buffer.from('{"claim_generator":"made for a test"}')),
  ),
);

/** A superbox of another content type, with C2PA's letters in its label and text: no manifest store. */
export const OTHER_SUPERBOX: Uint8Array = box(
  'jumb',
  description('6579d6fbdba2446bb2ac1b82feeb89d1', 'not.c2pa'),
  box('json', Buffer.from('{"c2pa":"c2pa"}')),
);

/** The data of an APP11 segment: `JP` · box instance u16 · packet u32 · the superbox, whole. */
export function app11(superbox: Uint8Array): Uint8Array {
  return concatBytes(Buffer.from('JP\0\x01\0\0\0\x01', 'latin1'), superbox);
}

/** C2PA's `uuid` box of an AVIF: user type · version and flags u32 · purpose · NUL · offset u64 · the store. */
export function uuidBox(store: Uint8Array, purpose = 'manifest'): Uint8Array {
  const userType = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');
  return box('uuid', userType, Buffer.alloc(4), Buffer.from(`${purpose}\0`), Buffer.alloc(8), store);
}

/** A chunk of a WebP, padded to an even length. */
export function webpChunk(type: string, data: Uint8Array): Uint8Array {
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
