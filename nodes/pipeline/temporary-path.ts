/** A folder of one of these names holds what may be deleted, in any case of letters. */
const NAME = '(^|[\\\\/])te?mp';
const BELOW = new RegExp(`${NAME}[\\\\/]`, 'i');
const FOLDER = new RegExp(`${NAME}([\\\\/][^\\\\/]*)?$`, 'i');

/** Whether a path lies in a folder `temp` or `tmp`, however deep. */
export function isInTemporaryFolder(path: string): boolean {
  return BELOW.test(path);
}

/** Whether a folder is named `temp` or `tmp`, or lies right in one. */
export function isTemporaryFolder(folder: string): boolean {
  return FOLDER.test(folder);
}
