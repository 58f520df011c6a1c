import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { RESULT_PATH } from './step-recipe.ts';

/** Where the files of a recipe are. */
export type RecipePlaces = {
  /** The merged file that holds the recipe, for errors. */
  readonly file: string;
  /** By their number in the recipe: the absolute path, and those of the files with tensors, several for shards. */
  readonly sources: readonly { readonly path: string; readonly files: readonly string[] }[];
  /** Absolute: the file that is made. Results in between lie in a folder `temp` beside it. */
  readonly target: string;
};

/** A recipe that names real files, and the paths that it may come to. */
export type PlacedRecipe = {
  readonly manifest: unknown;
  /**
   * The absolute path of one that a run of the manifest asks for.
   *
   * @throws LineageError `path/outside` for any but those of the recipe
   */
  pathOf(spelled: string): string;
};

/** Deeper than a manifest may nest: what is below is refused by whoever reads it. */
const MAX_DEPTH = 200;

/**
 * A recipe as records hold it, `source:N` and the result under the names of real files: that is what its messages and
 * its report then tell of. A record is not trusted: whoever wrote it may want some other file of the machine.
 *
 * @throws LineageError `path/outside` for a path that our records never hold
 */
export function placeRecipe(recipe: unknown, { file, sources, target }: RecipePlaces): PlacedRecipe {
  const folder = dirname(target);
  const stem = basename(target, extname(target));
  const temporary = join(folder, 'temp', stem);
  const known = new Set([...sources.flatMap(({ path, files }) => [path, ...files]), target]);

  function place(spelled: string): string {
    const source = /^source:(\d+)$/.exec(spelled)?.[1];
    const found = source === undefined ? undefined : sources[Number(source)];
    if (found) return found.path;
    if (spelled === RESULT_PATH) return target;
    const between = /^temp\/([\w.-]+)$/.exec(spelled)?.[1];
    if (between !== undefined && isName(between)) return join(temporary, between);
    throw outside(spelled, file);
  }

  function placeAll(value: unknown, depth: number): unknown {
    if (depth > MAX_DEPTH) return value;
    if (Array.isArray(value)) return value.map((each) => placeAll(each, depth + 1));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        key,
        typeof each === 'string' && (key === 'path' || key === 'output')
          ? withSlashes(place(each))
          : placeAll(each, depth + 1),
      ]),
    );
  }

  return {
    manifest: placeAll(recipe, 0),
    pathOf(spelled) {
      const whole = resolve(folder, spelled);
      if (known.has(whole)) return whole;
      const [inFolder, inTemporary] = [relative(folder, whole), relative(temporary, whole)];
      const isShard =
        inFolder.startsWith(`${stem}-`) && /^-\d{5}-of-\d{5}\.safetensors$/.test(inFolder.slice(stem.length));
      if (isShard || isName(inTemporary)) return whole;
      throw outside(spelled, file);
    },
  };
}

/** Shards are named by what follows the last slash. */
function withSlashes(path: string): string {
  return path.split(sep).join('/');
}

/** A file right in a folder. */
function isName(name: string): boolean {
  return /^[\w.[\]-]+$/.test(name) && !/^\.+$/.test(name);
}

function outside(spelled: string, file: string): LineageError {
  return new LineageError(
    'path/outside',
    `expected a recipe that names its sources, got ${JSON.stringify(spelled)}`,
    { file },
  );
}
