import { extname } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readFileChecked } from '../local/read-file.ts';
import { reasonOf } from '../local/system-error.ts';

/** The longest manifests that people write have a few hundred lines. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Aliases of YAML multiply; no manifest needs many. */
const MAX_ALIASES = 1000;

/**
 * Reads a manifest file, JSON or YAML: JSON where it is named so or begins with a brace.
 *
 * @returns what the parser gave, to be checked by `layOutManifest`
 * @throws LineageError `file/missing`, `file/unreadable`; `pipeline/malformed` with line and column, also for a key that
 *   is given twice
 */
export async function readManifestFile(path: string): Promise<unknown> {
  return parseManifestText(decode(await readFileChecked(path, MAX_BYTES), path), path);
}

/**
 * What a manifest's text says, JSON or YAML.
 * @param path its file, for errors; one that ends in `.json` is JSON.
 * @throws LineageError `pipeline/malformed` with line and column
 */
export function parseManifestText(text: string, path: string): unknown {
  const isJson = extname(path).toLowerCase() === '.json' || text.trimStart().startsWith('{');
  const parsed = isJson ? parseJson(text, path) : undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const fault = document.errors.find(({ code }) => !isJson || code === 'DUPLICATE_KEY');
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    const [what = fault.code] = fault.message.split(/ at line \d/);
    throw malformed(path, `${isJson ? 'JSON' : 'YAML'} in line ${line}, column ${col}`, what);
  }
  if (isJson) return parsed;
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw malformed(path, `at most ${MAX_ALIASES} aliases`, reasonOf(error));
  }
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

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = reasonOf(error);
    const at = /position (\d+)/.exec(reason)?.[1];
    const before = text.slice(0, at === undefined ? text.length : Number(at)).split('\n');
    const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    throw malformed(path, `JSON in ${place}`, reason.replace(/ (in JSON )?at position .*/s, ''));
  }
}

function malformed(file: string, expected: string, got: string): LineageError {
  return new LineageError('pipeline/malformed', `expected ${expected}, got: ${got}`, { file });
}
