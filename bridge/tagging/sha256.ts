import { hash, webcrypto } from 'node:crypto';

/** Below, going to another thread and back takes longer than the digest. */
const SMALL_BYTES = 64 * 1024;

/** 64 hexadecimal digits; of long input off this thread. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer> | Uint8Array): Promise<string> {
  if (bytes.length < SMALL_BYTES) return hash('sha256', bytes, 'hex');
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
