import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { RuleFile, RuleFiles } from '../../nodes/kit/rule-files.ts';
import { readFileChecked } from './read-file.ts';
import { codeOf, reasonOf } from './system-error.ts';
import { removeIfThere, unwritable, writeFileAtomic } from './write-file.ts';

/** The one file of the folder that nodes write. It counts behind all others: what its owner writes stands. */
const SAVED = 'saved-by-nodes.json';
const BACKUPS = 'backups';
const BACKUP_NAME = /^\d{8}-\d{6}-\d{3}\.json$/;
const RULE_FILE = /^[^.].*\.(json|ya?ml)$/i;
const MAX_BYTES = 16 * 1024 * 1024;

/** The folder of a user's own rules in `LINEAGE_HOME`. It need not exist. */
export function rulesIn(home: string): string {
  return join(home, 'rules');
}

/**
 * The files of rules that a path names: itself, or those of a folder, by name, the file that nodes write last.
 *
 * @throws LineageError `file/missing`
 */
export async function listRuleFiles(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => RULE_FILE.test(name));
    const rank = (name: string): string => `${name === SAVED ? 1 : 0} ${name}`;
    return names.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).map((name) => join(path, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
      const message = 'expected a file or folder of rules, got none of this name';
      throw new LineageError('file/missing', message, { file: path }, { cause: error });
    }
    throw new LineageError('file/unreadable', reasonOf(error), { file: path }, { cause: error });
  }
}

/** @throws LineageError `file/missing`, `file/unreadable` */
export async function readRuleFile(path: string): Promise<RuleFile> {
  const bytes = await readFileChecked(path, MAX_BYTES);
  // What is no UTF-8 is told by whoever reads the text.
  return { name: path, text: new TextDecoder().decode(bytes) };
}

/**
 * The rules of this machine's owner: files and folders that were named at the start, then the folder in
 * `LINEAGE_HOME`, which nodes may write into.
 *
 * @param named must be there when they are read, and are warned of where they are not
 */
export function createRuleStore(folder: string, named: readonly string[] = []): RuleFiles {
  const saved = join(folder, SAVED);
  const backups = join(folder, BACKUPS);
  let last: { readonly key: string; readonly files: readonly RuleFile[] } = { key: '', files: [] };

  async function listAll(warn: Parameters<RuleFiles['read']>[0]): Promise<string[]> {
    const all: string[] = [];
    for (const path of [...named, folder]) {
      try {
        all.push(...(await listRuleFiles(path)));
      } catch (error) {
        if (!isLineageError(error)) throw error;
        if (path !== folder || error.code !== 'file/missing') warn(error.message, path);
      }
    }
    return all;
  }

  async function listBackups(): Promise<readonly string[]> {
    try {
      const names = await readdir(backups);
      return names
        .filter((name) => BACKUP_NAME.test(name))
        .sort()
        .reverse();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw new LineageError('file/unreadable', reasonOf(error), { file: backups }, { cause: error });
    }
  }

  async function backUp(text: string, keep: number): Promise<string> {
    await mkdir(backups, { recursive: true });
    const taken = new Set(await listBackups());
    const now = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const free = Array.from({ length: 1000 }, (_, i) => `${now}-${String(i).padStart(3, '0')}.json`).find(
      (name) => !taken.has(name),
    );
    const name = free ?? `${now}-999.json`;
    await writeFileAtomic(join(backups, name), new TextEncoder().encode(text), { replace: true });
    for (const old of (await listBackups()).slice(keep)) await removeIfThere(join(backups, old));
    return name;
  }

  return {
    async read(warn) {
      const paths = await listAll(warn);
      const key = JSON.stringify(await Promise.all(paths.map(async (path) => [path, await stampOf(path)])));
      if (key === last.key) return last.files;
      const files: RuleFile[] = [];
      for (const path of paths) {
        try {
          files.push(await readRuleFile(path));
        } catch (error) {
          if (!isLineageError(error)) throw error;
          warn(error.message, path);
        }
      }
      last = { key, files };
      return files;
    },
    readSaved: () => textIfThere(saved),
    async writeSaved(text, keep) {
      try {
        await mkdir(folder, { recursive: true });
        const before = keep > 0 ? await textIfThere(saved) : undefined;
        const backup = before === undefined ? undefined : await backUp(before, keep);
        await writeFileAtomic(saved, new TextEncoder().encode(text), { replace: true });
        return backup;
      } catch (error) {
        throw isLineageError(error) ? error : unwritable(saved, error);
      }
    },
    listBackups,
    async readBackup(name) {
      return BACKUP_NAME.test(name) ? await textIfThere(join(backups, basename(name))) : undefined;
    },
  };
}

/** What changes with a file's contents. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return codeOf(error);
  }
}

async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readRuleFile(path)).text;
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return undefined;
    throw error;
  }
}
