/** The thread that hashes a file while it is made, reading behind those who write. `hash-output.ts` is the other end. */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { HashStart, OutputHashes } from './hash-output.ts';
import { unitOf } from './plan.ts';
import { checkStop, STOPPED, UNIT_DONE } from './shared-state.ts';

/** Both digests take a chunk from the second-level cache. */
const CHUNK_BYTES = 1 << 20;
const LOOK_AGAIN_MS = 100;

// The edge of a thread: `hashOutput` hands over exactly this.
const { plan, state, file, headerBytes }: HashStart = workerData;

try {
  parentPort?.postMessage(hashAll());
} catch (error) {
  if (error !== STOPPED) throw error;
}

function hashAll(): OutputHashes {
  const whole = createHash('sha256');
  const data = createHash('sha256');
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  function read(at: number, bytes: number, isData: boolean): void {
    for (let done = 0; done < bytes; ) {
      checkStop(state);
      const length = readSync(file, chunk, 0, Math.min(CHUNK_BYTES, bytes - done), at + done);
      if (length === 0) throw new Error(`the output ends at ${at + done}`);
      const part = chunk.subarray(0, length);
      whole.update(part);
      if (isData) data.update(part);
      done += length;
    }
  }

  read(0, headerBytes, false);
  for (let index = 0; index < plan.unitCount; index++) {
    waitFor(index);
    const { at, bytes } = unitOf(plan, index);
    read(at, bytes, true);
  }
  return { sha256: whole.digest('hex'), dataSha256: data.digest('hex') };
}

function waitFor(unit: number): void {
  for (;;) {
    const now = Atomics.load(state.units, unit);
    if (now === UNIT_DONE) return;
    checkStop(state);
    Atomics.wait(state.units, unit, now, LOOK_AGAIN_MS);
  }
}
