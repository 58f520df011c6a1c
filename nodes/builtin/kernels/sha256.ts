import { createHash } from 'node:crypto';
import { defineKernel } from '../../kit/graph-node.ts';

/** The SHA-256 of bytes, 64 lower-case hexadecimal digits. */
export default defineKernel({
  name: 'sha256',
  steps: (bytes: Uint8Array) => bytes.length,
  run: (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex'),
});
