import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { makePicture } from '../bridge/tagging/random-pictures.ts';
import { createDraw, type Draw } from './draw.ts';
import { watchRun } from './watch-run.ts';

/** How often to kill, where (the same seed, the same points), and how many pictures there are. */
export type KillOptions = {
  readonly count: number;
  readonly seed: number;
  readonly pictures: number;
  /** Called with a line now and then. */
  readonly say?: (line: string) => void;
};

/** What came of it: `amidst` runs were killed with some files done and some not. */
export type KillResult = { readonly amidst: number; readonly failures: readonly string[] };

type Hashes = ReadonlyMap<string, string>;

/** Every file below a folder, and the SHA-256 of each. */
function hashesOf(folder: string): Hashes {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(
    paths.map((path) => [
      path.slice(folder.length + 1),
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    ]),
  );
}

/** Runs the command; resolves with its status, null where it was killed. */
async function run(top: string, args: readonly string[], kill?: Kill): Promise<number | null> {
  const { status } = await watchRun(top, args, join(top, 'home'), kill && { disturb: killer(kill) });
  return status;
}

/** When a run is killed: so long after it has printed so many lines. */
type Kill = { readonly lines: number; readonly afterMs: number };

function killer({ lines, afterMs }: Kill): (child: ChildProcess) => void {
  return (child) => {
    let seen = 0;
    child.stdout?.on('data', (text: string) => {
      const before = seen;
      seen += text.split('\n').length - 1;
      if (before < lines && seen >= lines) setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
  };
}

async function putPictures(folder: string, count: number): Promise<void> {
  mkdirSync(join(folder, 'deeper'), { recursive: true });
  for (let at = 0; at < count; at++) {
    const format = IMAGE_FORMATS[at % IMAGE_FORMATS.length] ?? 'png';
    const bytes = await makePicture({
      format,
      seed: at,
      words: `picture ${at} ${'of many words '.repeat(at % 50)}`,
      others: [],
      hasExif: at % 3 === 0,
      hasXmp: at % 5 === 0,
      trailing: new Uint8Array(0),
    });
    writeFileSync(join(folder, at % 2 === 0 ? 'deeper' : '.', `p${at}.${format}`), bytes);
  }
}

const tagInto = (journal: string): string[] => [
  'tag',
  'work',
  '--recursive',
  '--jsonl',
  '--journal',
  journal,
];
const undo = (journal: string): string[] => ['undo', journal, '--jsonl'];
const isTemporary = (name: string): boolean => name.includes('.lineage-tmp-');

/** A folder with the pictures in `work` and again in `spare`, and what they are before and after an undisturbed run. */
type Scene = { readonly top: string; readonly work: string; readonly old: Hashes; readonly made: Hashes };

async function setScene(top: string, pictures: number): Promise<Scene> {
  const [work, spare] = [join(top, 'work'), join(top, 'spare')];
  await putPictures(spare, pictures);
  cpSync(spare, work, { recursive: true });
  if ((await run(top, tagInto('whole.jsonl'))) !== 0) throw new Error('a run that nobody killed failed');
  return { top, work, old: hashesOf(spare), made: hashesOf(work) };
}

type Tell = (fault: string) => void;

/** Tags the old pictures, killed somewhere; resolves with how many were done. */
async function tagKilled(
  { top, work, old, made }: Scene,
  journal: string,
  draw: Draw,
  tell: Tell,
): Promise<number> {
  rmSync(work, { recursive: true });
  cpSync(join(top, 'spare'), work, { recursive: true, preserveTimestamps: true });
  await run(top, tagInto(journal), { lines: 1 + draw.below(old.size), afterMs: draw.below(8) });
  const found = hashesOf(work);
  const done = [...old.keys()].filter((name) => found.get(name) === made.get(name));
  for (const [name, hash] of old)
    if (!done.includes(name) && found.get(name) !== hash) tell(`${name} is neither the old nor the new file`);
  for (const name of found.keys()) if (!old.has(name) && !isTemporary(name)) tell(`${name} was left behind`);
  return done.length;
}

async function goOn({ top, work, made }: Scene, journal: string, tell: Tell): Promise<void> {
  if ((await run(top, tagInto(journal))) !== 0) tell('going on failed');
  if (!same(hashesOf(work), made)) tell('going on did not make what an unkilled run makes, and nothing else');
}

/** Taking back may be killed as well, and is gone on with. */
async function takeBack(top: string, journal: string, kill: Kill, tell: Tell): Promise<void> {
  if (!existsSync(join(top, journal))) return;
  await run(top, undo(journal), kill);
  if ((await run(top, undo(journal))) !== 0) tell(`${journal} could not be undone`);
}

/** One point; resolves with how many files the killed run had done. */
async function killAt(scene: Scene, at: number, draw: Draw, tell: Tell): Promise<number> {
  const [first, second] = [`first-${at}.jsonl`, `second-${at}.jsonl`];
  const goesOn = at % 2 === 0;
  const done = await tagKilled(scene, first, draw, tell);
  if (goesOn) await goOn(scene, second, tell);
  for (const journal of [first, second])
    await takeBack(
      scene.top,
      journal,
      { lines: Math.ceil(draw.fraction() * done), afterMs: draw.below(8) },
      tell,
    );
  const rest = [...hashesOf(scene.work)];
  // A folder that the killed run had only begun with is in no journal; the next run of tag tidies it.
  const left = new Map(goesOn ? rest : rest.filter(([name]) => !isTemporary(name)));
  if (!same(left, scene.old)) tell('undo did not bring the old files back');
  return done;
}

/**
 * Kills `lineage tag FOLDER` at random points. Each time every file must be the old or the new one; by turns the run is
 * taken back with its journal, or gone on with and both runs taken back, which is killed too; in the end every file must be the old one again
 * and nothing else be there.
 */
export async function killTagging({
  count,
  seed,
  pictures,
  say = () => undefined,
}: KillOptions): Promise<KillResult> {
  const top = mkdtempSync(join(tmpdir(), 'lineage-tag-kills-'));
  const failures: string[] = [];
  let amidst = 0;
  try {
    const scene = await setScene(top, pictures);
    for (let at = 0; at < count; at++) {
      const tell = (fault: string): void => void failures.push(`point ${at}: ${fault}`);
      const done = await killAt(scene, at, createDraw(seed, at), tell);
      if (done > 0 && done < pictures) amidst++;
      say(`point ${at}: ${done} of ${pictures} were done`);
    }
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
  return { amidst, failures };
}

function same(a: Hashes, b: Hashes): boolean {
  return a.size === b.size && [...a].every(([name, hash]) => b.get(name) === hash);
}
