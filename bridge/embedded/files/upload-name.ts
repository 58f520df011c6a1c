import { cleanName } from '../../local/output-name.ts';

/**
 * The file name that an upload gets, from the one that the client says. Cleaned so that it means one file on every
 * system and shows itself in a listing: no characters that a file system refuses, no dot at the start, no device names.
 *
 * @returns undefined for no name and for one with folders in it, which only an attack sends.
 */
export function cleanUploadName(name: string): string | undefined {
  const bare = name.trim();
  if (bare === '' || /[/\\\0]/.test(bare) || /^\.+$/.test(bare)) return undefined;
  return keepEnding(bare);
}

/** The cut to a length that file systems hold must not take the ending off. */
function keepEnding(name: string): string {
  const { stem, ending } = splitEnding(name);
  const cleanEnding = /^\.[A-Za-z0-9]{1,16}$/.test(ending) ? ending : '';
  return cleanEnding === '' ? cleanName(name) : cleanName(stem) + cleanEnding;
}

/** A name in its two parts as Python's splitext makes them: `a.tar` and `.gz`; a dot at the start begins no ending. */
export function splitEnding(name: string): { readonly stem: string; readonly ending: string } {
  const dot = name.lastIndexOf('.');
  if (dot <= 0 || /^\.*$/.test(name.slice(0, dot))) return { stem: name, ending: '' };
  return { stem: name.slice(0, dot), ending: name.slice(dot) };
}

/** The names that are tried in turn while a name is taken: `a.png`, `a (1).png`, `a (2).png` … */
export function* numberedNames(name: string): Generator<string, void, undefined> {
  const { stem, ending } = splitEnding(name);
  yield name;
  for (let n = 1; ; n++) yield `${stem} (${n})${ending}`;
}
