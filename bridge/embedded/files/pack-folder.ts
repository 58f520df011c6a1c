import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { UNREACHABLE } from '../../local/folder-index.ts';
import { codeOf } from '../../local/system-error.ts';
import type { Log } from '../log.ts';

/** What the pack is called in URLs; its files lie below `/extensions/lineage/`. */
export const PACK_NAME = 'lineage';

/** The names of a folder of the pack, sorted; none where it does not have that folder. */
export async function namesOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return [];
    throw error;
  }
}

/** The JSON files of a folder of the pack, without their ending. */
export async function jsonNamesOf(folder: string): Promise<readonly string[]> {
  return (await namesOf(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
}

/** The JSON of a file of the pack; undefined where it is missing, and where it is damaged, which is logged. */
export async function readPackJson(folder: string, name: string, log: Log): Promise<Json | undefined> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return undefined;
    throw error;
  }
  try {
    return parseExactJson(text, (_code, message) => log('warn', `${path}: ${message}`));
  } catch (error) {
    log('error', `${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
