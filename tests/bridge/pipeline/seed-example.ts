import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numpy } from '../../peers.ts';
import type { DataHashes } from './compare-files.ts';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const BY_HAND = join(FIXTURES, 'merge', 'by-hand.py');

/** The manifest that is proved. */
export const MANIFEST = 'complex.json';
/** What it makes. */
export const RESULT = 'final_anime_realistic.safetensors';

/**
 * Puts the example and the five files that it names into a folder.
 *
 * @returns the SHA-256 of the data section of each, by name.
 */
export function makeExample(folder: string, ...options: readonly string[]): ReadonlyMap<string, string> {
  const said = numpy.run([join(FIXTURES, 'merge', 'make-models.py'), 'example', folder, ...options]);
  copyFileSync(join(FIXTURES, 'examples', 'merge', MANIFEST), join(folder, MANIFEST));
  return new Map(
    said
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const [name = '', hash = ''] = line.split(' ');
        return [name, hash];
      }),
  );
}

/** What the last step of a manifest must give, by the independent script. */
export function mergeByHand(manifest: string, ...options: readonly string[]): DataHashes {
  return JSON.parse(numpy.run([BY_HAND, manifest, ...options]));
}
