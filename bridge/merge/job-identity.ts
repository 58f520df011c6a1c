import { createHash } from 'node:crypto';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { MergeJob } from '../../nodes/merge/job.ts';
import type { FileIdentity } from '../local/file-identity.ts';

/**
 * What two runs must have in common to go on with each other's bytes: the job to the last number, the state of its
 * inputs, the versions of its methods, the kernels, and how it is cut into units. SHA-256, hexadecimal.
 */
export function identifyJob(
  job: MergeJob,
  inputs: readonly FileIdentity[],
  unitBytes: number,
  kernels: Uint8Array,
): string {
  const versions = new Map<string, number>();
  const encode = (key: string, value: unknown): unknown => {
    if (key === 'method' && typeof value === 'string') versions.set(value, findMethod(value).version);
    if (typeof value === 'bigint') return `${value}`;
    // JSON has no -0, and a weight of -0 gives other bits.
    if (Object.is(value, -0)) return '-0';
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return value instanceof Map ? [...value] : value;
  };
  const { tensors, ...rest } = job;
  const hash = createHash('sha256').update(JSON.stringify([rest, inputs, unitBytes, tensors.length], encode));
  // One by one: the JSON of thousands of tensors is megabytes.
  for (const tensor of tensors) hash.update(JSON.stringify(tensor, encode));
  return hash
    .update(JSON.stringify([...versions]))
    .update(kernels)
    .digest('hex');
}
