import { mkdir, readdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { Host } from '../../nodes/kit/host.ts';
import { parsePrefix } from './output-name.ts';
import { enterFolder } from './resolve-inside.ts';
import { publishExclusive, removeIfThere, syncFolder, unwritable, writeTemporaryFile } from './write-file.ts';

type OutputRequest = Parameters<Host['writeOutput']>[0];

/** A file that is finished but has no name yet. */
type Finished = { readonly temporary: string; readonly ending: string };

const COUNTER_MAX = 99_999_999;

/**
 * `Host.writeOutput` over one folder, which is made when the first file is written.
 *
 * Names are ComfyUI's: `prefix_00001_.png`, one above the highest counter that any file of this prefix has. All
 * contents are written and flushed under temporary names (TEMPORARY_PREFIX) first; then the picture takes its name by
 * a hard link, which fails if anybody has that name, and the next counter is tried. So two processes never overwrite
 * each other, and a file with a final name is complete.
 *
 * The picture is named before its companions: holding its name, it owns theirs. The other way round, a crash could
 * leave a companion to which another process then adds its own picture. After a crash here a picture may lack a
 * companion, which claims nothing false. A companion's key is put behind the stem (`.png.lineage.json`); name the
 * extension in it, since `a_00001_.png` and `a_00001_.webp` may both exist.
 *
 * @param root must not be writable by people you do not trust: Node cannot hold a folder open while it creates in
 *   it, so a folder swapped for a link between check and write is not seen.
 */
export function createOutputFolder(root: string): Pick<Host, 'writeOutput'> {
  return {
    async writeOutput(request) {
      const { folders, stem } = parsePrefix(request.prefix);
      try {
        await mkdir(root, { recursive: true });
        const outside = linkOutside(resolve(root, ...folders));
        const folder = await enterFolder(await realpath(root), folders, outside);
        const name = await writeIntoFolder(folder, stem, request);
        return [...folders, name].join('/');
      } catch (error) {
        throw isLineageError(error) ? error : unwritable(resolve(root, ...folders, stem), error);
      }
    },
  };
}

function linkOutside(path: string): (cause?: unknown) => LineageError {
  return (cause) =>
    new LineageError(
      'output/outside',
      'expected a folder below the output folder, got a link that leads out of it',
      { file: path },
      { cause },
    );
}

async function writeIntoFolder(folder: string, stem: string, request: OutputRequest): Promise<string> {
  const finished: Finished[] = [];
  try {
    const ending = `.${request.extension.replace(/^\./, '')}`;
    for (const [end, bytes] of [[ending, request.bytes] as const, ...(request.companions ?? [])]) {
      checkEnding(end);
      finished.push({ temporary: await writeTemporaryFile(folder, bytes), ending: end });
    }
    const taken = request.counter
      ? await nameByCounter(folder, stem, finished)
      : await nameOnce(folder, stem, finished);
    await syncFolder(folder);
    return taken + ending;
  } finally {
    for (const { temporary } of finished) await removeIfThere(temporary);
  }
}

/** Endings come from our own nodes; one with a separator in it would be a bug, and must not become a path. */
function checkEnding(ending: string): void {
  if (!/^\.[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/.test(ending)) {
    throw new LineageError('output/outside', `expected an ending like ".png", got ${JSON.stringify(ending)}`);
  }
}

async function nameOnce(folder: string, stem: string, files: readonly Finished[]): Promise<string> {
  const taken = await publishAll(folder, stem, files);
  if (taken === undefined) return stem;
  throw new LineageError('output/exists', 'expected a free name, got one that is taken', {
    file: join(folder, taken),
  });
}

async function nameByCounter(folder: string, stem: string, files: readonly Finished[]): Promise<string> {
  for (let counter = (await highestCounter(folder, stem)) + 1; counter <= COUNTER_MAX; counter++) {
    const numbered = `${stem}_${String(counter).padStart(5, '0')}_`;
    if ((await publishAll(folder, numbered, files)) === undefined) return numbered;
  }
  throw new LineageError('output/exhausted', `expected a free counter up to ${COUNTER_MAX}, got none`, {
    file: join(folder, stem),
  });
}

/** Names all files or none. Gives the first name that was taken, if one was. */
async function publishAll(
  folder: string,
  stem: string,
  files: readonly Finished[],
): Promise<string | undefined> {
  const published: string[] = [];
  try {
    for (const { temporary, ending } of files) {
      if (!(await publishExclusive(temporary, join(folder, stem + ending)))) {
        await withdraw(published);
        return stem + ending;
      }
      published.push(join(folder, stem + ending));
    }
    return undefined;
  } catch (error) {
    await withdraw(published);
    throw error;
  }
}

async function withdraw(published: readonly string[]): Promise<void> {
  for (const path of published.toReversed()) await removeIfThere(path);
}

/**
 * The highest counter among `stem_<digits>…` of this folder, whatever follows; 0 where there is none. Longer numbers
 * than a counter can have (dates, seeds) are not counters.
 * @see https://github.com/Comfy-Org/ComfyUI/blob/a125cd84/folder_paths.py get_save_image_path
 */
async function highestCounter(folder: string, stem: string): Promise<number> {
  let highest = 0;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${stem}_`)) continue;
    const digits = /^\d{1,8}(?=_|$)/.exec(name.slice(stem.length + 1));
    if (digits) highest = Math.max(highest, Number(digits[0]));
  }
  return highest;
}
