import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { HASH_PLACEHOLDER } from '../../nodes/merge/provenance/header-texts.ts';
import { removeIfThere, syncFolder, unwritable } from '../local/write-file.ts';
import type { Damage } from '../merge/damage.ts';
import { type HashAccess, rememberData } from './identify-models.ts';
import { HASH_KEY, unsealedPath } from './output-state.ts';
import type { StepScores } from './step-scores.ts';

/** What came of making a result. */
export type MadeOutput = {
  readonly bytes: number;
  /** SHA-256 of the data of each file. */
  readonly dataSha256: readonly string[];
  readonly damage: ReadonlyMap<string, Damage>;
  /** Tensors that an interrupted run had made already. */
  readonly resumed: number;
  /** Tensors of the inputs that have no place in the result, where it is no checkpoint. */
  readonly left?: readonly string[];
  /** What there is to say of the result in numbers. */
  readonly found?: StepScores;
};

/** A file with all of its data, and the placeholder of their hash in its header. */
export type UnsealedFile = Omit<MadeOutput, 'dataSha256'> & {
  readonly header: Uint8Array;
  readonly dataSha256: string;
};

/**
 * Makes a file under a name that nobody else uses, writes the hash of its data into its header, and gives it its own
 * name: it is there as a whole or not at all. Whatever fails leaves nothing of it.
 *
 * @param path absolute; its folder is made where it is missing.
 * @param fill makes the file at the path it gets.
 * @param accept sees the hash before the file gets its name; what it throws leaves what had the name.
 * @throws LineageError `file/unwritable`, naming `path`; what `fill` and `accept` throw
 */
export async function makeSealedFile(
  path: string,
  { ledger }: Pick<HashAccess, 'ledger'>,
  fill: (unsealed: string) => Promise<UnsealedFile>,
  accept?: (dataSha256: string) => void,
): Promise<MadeOutput> {
  const unsealed = unsealedPath(path);
  let isSealed = false;
  try {
    await makeRoom(path, unsealed);
    const { header, dataSha256, ...made } = await fill(unsealed);
    accept?.(dataSha256);
    await sealFile(unsealed, path, header, dataSha256);
    isSealed = true;
    await rememberData(path, dataSha256, ledger);
    return { ...made, dataSha256: [dataSha256] };
  } catch (error) {
    throw asOf(path, error);
  } finally {
    if (!isSealed) await removeIfThere(unsealed).catch(() => undefined);
  }
}

async function makeRoom(path: string, unsealed: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await removeIfThere(unsealed);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** An error of writing as one about the file that was asked for: nobody knows the other name. */
function asOf(path: string, error: unknown): unknown {
  if (!isLineageError(error, 'file/unwritable') && !isLineageError(error, 'merge/busy')) return error;
  const { code, message, where } = error;
  return new LineageError(code, message, { ...where, file: path }, { cause: error });
}

/** Writes the hash over its placeholder, which moves nothing, and puts the file in place in one step. */
async function sealFile(
  unsealed: string,
  path: string,
  header: Uint8Array,
  dataSha256: string,
): Promise<void> {
  try {
    const file = await open(unsealed, 'r+');
    try {
      await file.write(Buffer.from(`0x${dataSha256}`, 'latin1'), 0, HASH_PLACEHOLDER.length, hashAt(header));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unsealed, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Within any other text the quotes would be escaped, so this is found once. */
function hashAt(header: Uint8Array): number {
  const before = `"${HASH_KEY}":"`;
  const at = Buffer.from(header.buffer, header.byteOffset, header.length).indexOf(before + HASH_PLACEHOLDER);
  if (at < 0) throw new Error('no place for the hash in the header');
  return at + before.length;
}
