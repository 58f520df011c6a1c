import { LineageError } from '../../nodes/kit/errors.ts';
import { isDeviceName } from './output-name.ts';

/** File systems hold 255 bytes to a name and 4096 to a path; more is only ever sent to find out what breaks. */
const PATH_LENGTH_MAX = 1024;
/** Folders are made as a client names them, and deeper ones are not listed. */
const PARTS_MAX = 16;

/**
 * The parts of a relative path that a client names, outermost first; none for the folder itself. Nothing is cleaned:
 * a name that would mean another file on some system is refused, so that it means the same file on all of them.
 *
 * @param text with `/` between the parts, already decoded; empty parts and `.` say nothing and are left out.
 * @throws LineageError `path/outside` for what leads elsewhere (absolute, a drive letter, `..`), `path/unsafe` for NUL and
 *   other control characters, backslashes, colons (Windows' alternate streams), device names, names that end in a dot
 *   or a space (Windows drops these, so that `.. ` is `..`), and more than 1024 characters or 16 parts
 */
export function splitPlainPath(text: string): readonly string[] {
  if (/^[/\\]/.test(text) || /^[A-Za-z]:[/\\]/.test(text))
    throw refused('path/outside', text, 'an absolute path');
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of text.split(/[/\\]/)) {
    if (/^\.{2,}$/.test(part.trim())) throw refused('path/outside', text, `the part ${JSON.stringify(part)}`);
  }
  if (text.length > PATH_LENGTH_MAX) throw refused('path/unsafe', text, `${text.length} characters`);
  if (parts.length > PARTS_MAX) throw refused('path/unsafe', text, `${parts.length} parts`);
  for (const part of parts) {
    if (/[\\:\p{Cc}]/u.test(part) || !part.isWellFormed())
      throw refused('path/unsafe', text, `the name ${JSON.stringify(part)}`);
    if (/[. ]$/.test(part) || isDeviceName(part))
      throw refused('path/unsafe', text, `the name ${JSON.stringify(part)}`);
  }
  return parts;
}

function refused(code: 'path/outside' | 'path/unsafe', text: string, got: string): LineageError {
  return new LineageError(code, `expected a plain path below the folder, got ${got}`, {
    file: text.slice(0, 200),
  });
}
