import { open } from 'node:fs/promises';

/** Read to tell how fast a disk is, of all files together. */
const SAMPLE_BYTES = 64 << 20;
const CHUNK_BYTES = 4 << 20;

/**
 * About how many bytes a second the files can be read with, by reading a little of the first ones. Files that the system
 * holds in memory come faster than the disk would give them; so they will when they are merged.
 *
 * @returns undefined where there is too little to tell.
 */
export async function measureDisk(files: readonly string[]): Promise<number | undefined> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let [bytes, milliseconds] = [0, 0];
  for (const path of files) {
    if (bytes >= SAMPLE_BYTES) break;
    const file = await open(path, 'r');
    try {
      while (bytes < SAMPLE_BYTES) {
        const startedAt = performance.now();
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) break;
        milliseconds += performance.now() - startedAt;
        bytes += bytesRead;
      }
    } finally {
      await file.close();
    }
  }
  return milliseconds > 0 && bytes > 0 ? (1000 * bytes) / milliseconds : undefined;
}
