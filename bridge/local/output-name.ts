import { LineageError } from '../../nodes/kit/errors.ts';

/**
 * The longest folder or file name before counter and extension, in bytes of UTF-8. Most file systems hold 255; the
 * rest is for `_00000001_` and endings like `.png.lineage.json`.
 */
const NAME_BYTES_MAX = 200;

/** What Windows, SMB and FAT refuse in a name, and what breaks a terminal. Separators are no names' business here. */
const FORBIDDEN = /[<>:"|?*/\\\p{Cc}]/gu;
/** Windows opens a device for these, whatever extension follows. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/iu;

/** Where a prefix leads, cleaned: every part is a plain name that any file system holds. */
type OutputName = {
  /** Folders below the output folder, outermost first. */
  readonly folders: readonly string[];
  /** The file's name before counter and extension. */
  readonly stem: string;
};

/**
 * Reads a prefix as ComfyUI does: `/` and `\` make folders, the last part starts the file's name. The parts may hold
 * any text of a prompt; they are cleaned (see `cleanName`), never refused, except for what tries to lead elsewhere.
 * @throws LineageError `output/outside` for an absolute path, a drive letter or `..`
 */
export function parsePrefix(prefix: string): OutputName {
  const outside = (got: string): LineageError =>
    new LineageError(
      'output/outside',
      `expected a prefix below the output folder, got ${got}: ${JSON.stringify(prefix)}`,
    );
  if (/^[/\\]/.test(prefix)) throw outside('an absolute path');
  if (/^[A-Za-z]:[/\\]/.test(prefix)) throw outside('a path with a drive letter');

  const parts: string[] = [];
  for (const part of prefix.split(/[/\\]/)) {
    // Windows drops spaces and dots at the end, so that '.. ' is '..' there.
    const bare = part.trim();
    if (/^\.{2,}$/.test(bare)) throw outside(`"${bare}"`);
    if (bare !== '' && bare !== '.') parts.push(cleanName(part));
  }
  const stem = parts.pop() ?? '_';
  return { folders: parts, stem };
}

/**
 * Makes one name of any text: characters that some file system refuses become `_`; so does a dot at the start,
 * which would hide the file, and lone surrogates become U+FFFD. Spaces and dots at the end are dropped, device
 * names of Windows get a `_` in front, and the rest is cut to NAME_BYTES_MAX between two code points. Never empty.
 */
export function cleanName(text: string): string {
  const plain = text.toWellFormed().replace(FORBIDDEN, '_').trim().replace(/^\./, '_');
  const safe = isDeviceName(plain) ? `_${plain}` : plain;
  const short = cutToBytes(safe, NAME_BYTES_MAX).replace(/[. ]+$/, '');
  return short === '' ? '_' : short;
}

/** Whether Windows opens a device for a name, as for `con.png`. */
export function isDeviceName(name: string): boolean {
  return DEVICE.test(name);
}

function cutToBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
