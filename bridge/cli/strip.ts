import { mkdir } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { Warning } from '../../nodes/kit/warnings.ts';
import { STRIP_PROFILES, type StripProfile } from '../../nodes/metadata/strip/profiles.ts';
import { createScrubber } from '../../nodes/metadata/strip/scrub.ts';
import { type Stripped, stripPicture } from '../../nodes/metadata/strip/strip-picture.ts';
import { readFileChecked } from '../local/read-file.ts';
import { refuseTaken, removeIfThere, writeFilesAtomic } from '../local/write-file.ts';
import { findPictures, findPlaces } from '../tagging/find-pictures.ts';
import { readForReplacing, replaceFile } from '../tagging/replace-file.ts';
import type { CommandContext } from './command-context.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';
import { inFile } from './json-file.ts';
import { isFolder, listPictures, type PictureFile } from './picture-files.ts';
import { describeError, noteWarnings } from './terminal.ts';

type StripOptions = {
  readonly profile: StripProfile;
  readonly out?: string;
  readonly inPlace?: boolean;
  readonly recursive?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
};

/** The longest workflows met are about 2 MiB. */
const MAX_SIDECAR_BYTES = 64 * 1024 * 1024;

/** `lineage strip FILE --profile P --out FILE`: takes metadata out, and proves that what it took is gone. */
export function stripCommand(context: CommandContext): Command {
  return new Command('strip')
    .description(
      'take metadata out of pictures without touching a pixel, and search the result for what was taken out',
    )
    .argument('<path>', 'a PNG, JPEG, WebP or AVIF file, or a folder of them')
    .addOption(
      new Option('--profile <profile>', 'what may stay')
        .choices(Object.keys(STRIP_PROFILES))
        .makeOptionMandatory(),
    )
    .option('--out <path>', 'the file to write, or for a folder the folder')
    .option('--in-place', 'change the files themselves; unlike lineage tag it cannot be undone')
    .option('--recursive', 'of a folder, the pictures of its sub folders too')
    .option('--force', 'replace existing files')
    .option('--json', 'print one JSON document')
    .addHelpText('after', helpText())
    .action((path: string, options: StripOptions) => strip(path, options, context));
}

function helpText(): string {
  const profiles = Object.entries(STRIP_PROFILES).map(
    ([name, { keeps, removes }]) => `  ${name}: keeps ${keeps}; takes out ${removes}.`,
  );
  return `
Profiles:
${profiles.join('\n')}
Files beside the picture (NAME.EXT.lineage.json, and NAME.json with its workflow) hold the same data: public and client write
none of them, and delete them in place; archive writes them without their secrets. With --force, those of the picture that is
replaced go with it; without it their names count as taken.

--in-place keeps no journal, since that would hold what is to be gone: keep a copy, or use --out. Each file is replaced in one
step, with its mode and owner. As with lineage tag, links in a folder are passed over, and told where they lead out of it.

The search proves that what was recognised and taken out is nowhere else in the file. Pixels stay as they are, so what somebody
wrote into them stays too. Coded pixels of PNG, of JPEG and of lossless WebP are followed to their end, and what stands behind them goes;
those of lossy WebP and AVIF, and tables of some colour profiles, are kept as they are: each file that has some is told, with a
warning strip/unread, since bytes that decoders pass over may be among them.`;
}

type Told = {
  readonly file: string;
  readonly out: string;
  readonly bytes: number;
  readonly removed: readonly string[];
  /** Files beside the picture that told of it, or of the one that it replaced. */
  readonly deleted: readonly string[];
  readonly secrets: number;
  readonly searched: number;
  /** What was kept without being followed. */
  readonly unread: readonly string[];
  readonly warnings: readonly Warning[];
};

async function strip(path: string, options: StripOptions, context: CommandContext): Promise<void> {
  const { out, inPlace } = options;
  if ((out === undefined) === !inPlace)
    throw new LineageError('option/conflict', 'expected either --out or --in-place, got both or none', {
      option: '--out',
    });
  const isMany = await isFolder(path);
  const { pictures, problems } =
    out === undefined
      ? await findInPlace(path, options.recursive === true)
      : { pictures: await listPictures([path], options.recursive === true), problems: [] };
  const done: Told[] = [];
  const failed: { file: string; code: string; message: string }[] = [];
  const fail = (file: string, error: LineageError): void => {
    failed.push({ file, code: error.code, message: error.message });
    context.terminal.note(describeError(error));
  };
  for (const { shown, error } of problems) fail(shown, error);
  for (const picture of pictures) {
    context.signal.throwIfAborted();
    try {
      const told =
        out === undefined
          ? await stripInPlace(picture, options, context)
          : await stripOne(picture, isMany ? join(out, picture.name) : out, options, context);
      done.push(told);
      if (!options.json) context.terminal.print(lineOf(told));
    } catch (error) {
      if (!isMany || !isLineageError(error)) throw error;
      fail(out === undefined ? picture.name : picture.path, error);
    }
  }
  for (const { warnings } of done) noteWarnings(warnings, context.terminal);
  if (options.json) context.terminal.print(JSON.stringify({ profile: options.profile, files: done, failed }));
  if (failed.length > 0) context.noteFinding();
}

type Problem = { readonly shown: string; readonly error: LineageError };

/** As `tag` finds them: no file is met twice, and none by a link. */
async function findInPlace(
  path: string,
  recursive: boolean,
): Promise<{ readonly pictures: readonly PictureFile[]; readonly problems: readonly Problem[] }> {
  const pictures: PictureFile[] = [];
  const problems: Problem[] = [];
  const look = { recursive, formats: IMAGE_FORMATS, tidy: true };
  for await (const found of findPictures(await findPlaces([path], recursive), look)) {
    if (found.kind === 'picture') pictures.push({ path: found.path, name: found.shown });
    else if (found.kind === 'problem') problems.push(found);
  }
  return { pictures, problems };
}

/** The file is the old one or the new one at every moment; what lies beside it changes once it is the new one. */
async function stripInPlace(
  { path, name }: PictureFile,
  { profile }: StripOptions,
  { signal }: CommandContext,
): Promise<Told> {
  const { warn, list: warnings } = createWarningLog();
  const { state, bytes } = await readForReplacing(path, MAX_IMAGE_BYTES);
  const sidecars = await readSidecars(path, path);
  const stripped = inFile(name, () =>
    stripPicture(
      bytes,
      profile,
      warn,
      sidecars.map(({ text }) => text),
    ),
  );
  const scrubbed = new Map(
    profile === 'archive' ? sidecars.map((each) => [each.path, scrubSidecar(each, stripped)] as const) : [],
  );
  signal.throwIfAborted();
  if (Buffer.compare(bytes, stripped.bytes) !== 0) await replaceFile(path, state, stripped.bytes, undefined);
  await writeFilesAtomic(scrubbed, { replace: true });
  const deleted = sidecars.map((each) => each.path).filter((each) => !scrubbed.has(each));
  for (const each of deleted) await removeIfThere(each);
  return toldOf(stripped, { file: name, out: name, deleted, warnings });
}

async function stripOne(
  { path }: PictureFile,
  out: string,
  { profile, force }: StripOptions,
  { signal }: CommandContext,
): Promise<Told> {
  if (!force) await refuseTaken(out);
  const { warn, list: warnings } = createWarningLog();
  const bytes = await readFileChecked(path, MAX_IMAGE_BYTES);
  const sidecars = await readSidecars(path, out);
  const stale = await sidecarsOfReplaced(out, sidecars);
  if (!force) for (const each of stale) await refuseTaken(each.path);
  const stripped = inFile(path, () =>
    stripPicture(
      bytes,
      profile,
      warn,
      sidecars.map(({ text }) => text),
    ),
  );
  signal.throwIfAborted();
  const files = new Map([[out, stripped.bytes]]);
  if (profile === 'archive') for (const each of sidecars) files.set(each.out, scrubSidecar(each, stripped));
  await mkdir(dirname(out), { recursive: true });
  await writeFilesAtomic(files, { replace: force === true });
  const deleted = stale.map((each) => each.path).filter((each) => !files.has(each));
  for (const each of deleted) await removeIfThere(each);
  return toldOf(stripped, { file: path, out, deleted, warnings });
}

function toldOf(
  { bytes, removed, secrets, searched, unread }: Stripped,
  rest: Pick<Told, 'file' | 'out' | 'deleted' | 'warnings'>,
): Told {
  return { ...rest, bytes: bytes.length, removed, secrets: secrets.length, searched, unread };
}

type Sidecar = { readonly path: string; readonly out: string; readonly text: string };

/** The record, and a workflow of the same name; any other JSON beside the picture is somebody else's. */
async function readSidecars(path: string, out: string): Promise<readonly Sidecar[]> {
  const stem = (file: string): string => file.slice(0, file.length - extname(file).length);
  const record = await readIfThere(`${path}.lineage.json`);
  const workflow = await readIfThere(`${stem(path)}.json`);
  const isWorkflow = workflow !== undefined && /"nodes"\s*:/.test(workflow) && /"links"\s*:/.test(workflow);
  return [
    ...(record === undefined
      ? []
      : [{ path: `${path}.lineage.json`, out: `${out}.lineage.json`, text: record }]),
    ...(isWorkflow ? [{ path: `${stem(path)}.json`, out: `${stem(out)}.json`, text: workflow }] : []),
  ];
}

/** They tell of a picture that is no more; what lies beside the source as well belongs to that. */
async function sidecarsOfReplaced(out: string, own: readonly Sidecar[]): Promise<readonly Sidecar[]> {
  const ofSource = new Set(own.map(({ path }) => resolve(path)));
  return (await readSidecars(out, out)).filter(({ path }) => !ofSource.has(resolve(path)));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await readFileChecked(path, MAX_SIDECAR_BYTES));
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return undefined;
    throw error;
  }
}

/** @throws LineageError `strip/left-behind` */
function scrubSidecar({ path, text }: Sidecar, { secrets }: Stripped): Uint8Array {
  const scrubbed = createScrubber(secrets).scrub(text);
  // Of a part of the picture the report would tell; a file must not become an empty one.
  if (scrubbed === '' && text !== '')
    throw new LineageError(
      'strip/left-behind',
      'expected a text that can be searched, got a larger or deeper one',
      {
        file: path,
      },
    );
  const check = createScrubber();
  check.scrub(scrubbed);
  if (check.secrets.length > 0)
    throw new LineageError('strip/left-behind', 'expected nothing to be left, got a secret', { file: path });
  return new TextEncoder().encode(scrubbed);
}

function lineOf({ out, bytes, removed, deleted, secrets, searched, unread }: Told): string {
  const parts = removed.length === 0 ? 'no part removed' : `removed ${[...removed].join(', ')}`;
  const texts = secrets === 0 ? '' : `; ${secrets} ${secrets === 1 ? 'secret' : 'secrets'} in texts`;
  const files = deleted.length === 0 ? '' : `; deleted ${deleted.join(', ')}`;
  const proof = `${searched} pieces searched for, none found`;
  const kept = unread.length === 0 ? '' : `; not followed: ${unread.join(', ')}`;
  return visibleText(`${out}: ${bytes} bytes; ${parts}${texts}${files}; ${proof}${kept}`);
}
