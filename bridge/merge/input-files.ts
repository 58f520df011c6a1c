import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { LineageError } from '../../nodes/kit/errors.ts';
import { type FileIdentity, identityOf, sameIdentity } from '../local/file-identity.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import type { InputFile } from './samples.ts';

/** The inputs of a job, open. */
export type InputFiles = {
  readonly files: readonly InputFile[];
  readonly identities: readonly FileIdentity[];
  /** @throws LineageError `file/unreadable` where one is not as it was when it was opened */
  checkUnchanged(): void;
  close(): void;
};

/** @throws LineageError `file/missing`, `file/unreadable` */
export function openInputs(paths: readonly string[]): InputFiles {
  const files: InputFile[] = [];
  const close = (): void => {
    for (const { file } of files.splice(0)) closeSync(file);
  };
  try {
    for (const path of paths) files.push({ file: openFile(path), path });
    const identities = files.map(({ file }) => identityOf(fstatSync(file, { bigint: true })));
    return {
      files: [...files],
      identities,
      checkUnchanged() {
        files.forEach(({ file, path }, index) => {
          const before = identities[index];
          if (before && sameIdentity(before, identityOf(fstatSync(file, { bigint: true })))) return;
          const message = 'expected a file at rest, got one that changed while it was read';
          throw new LineageError('file/unreadable', message, { file: path });
        });
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openFile(path: string): number {
  let file: number;
  try {
    // Non-blocking, so that opening a named pipe comes back and can be refused.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    throw new LineageError(
      isMissing ? 'file/missing' : 'file/unreadable',
      isMissing
        ? 'expected a file, got none of this name'
        : `expected a file to read, got: ${reasonOf(error)}`,
      { file: path },
      { cause: error },
    );
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new LineageError('file/unreadable', 'expected a file, got a folder, pipe or device', { file: path });
}
