import { extname } from 'node:path';
import { readStructuredText } from '../../nodes/formats/structured-text.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readFileChecked } from '../local/read-file.ts';

/** The longest manifests that people write have a few hundred lines. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Aliases of YAML multiply; no manifest needs many. */
const MAX_ALIASES = 1000;

/**
 * Reads a manifest file, JSON or YAML: JSON where it is named so or begins with a brace.
 *
 * @returns what the parser gave, to be checked by `layOutManifest`
 * @throws LineageError `file/missing`, `file/unreadable`; `pipeline/malformed` as `parseManifestText`, also for a key
 *   that is given twice
 */
export async function readManifestFile(path: string): Promise<unknown> {
  return parseManifestText(decode(await readFileChecked(path, MAX_BYTES), path), path);
}

/**
 * What a manifest's text says, JSON or YAML. Of YAML one document, in the values that JSON has: a tag that makes
 * something else of a value is refused, not passed over.
 *
 * @param path its file, for errors; one that ends in `.json` is JSON.
 * @throws LineageError `pipeline/malformed` with line and column
 */
export function parseManifestText(text: string, path: string): unknown {
  const { document, fault } = readStructuredText(text, extname(path).toLowerCase() === '.json', MAX_ALIASES);
  if (document) return document.value;
  const { line, column, isSyntax, expected, got } = fault;
  throw malformed(path, isSyntax ? `${expected} in line ${line}, column ${column}` : expected, got);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    // Nothing that people write holds NUL; a model file does.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Not text: said below.
  }
  throw malformed(path, 'a manifest in JSON or YAML', 'a file that is no text');
}

function malformed(file: string, expected: string, got: string): LineageError {
  return new LineageError('pipeline/malformed', `expected ${expected}, got: ${got}`, { file });
}
