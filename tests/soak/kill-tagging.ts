import { spawn } from 'node:child_process';
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
import { fileURLToPath } from 'node:url';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { makePicture } from '../bridge/tagging/random-pictures.ts';

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

const PROGRAM = fileURLToPath(new URL('../../bridge/lineage.mjs', import.meta.url));

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

async function run(
  folder: string,
  args: readonly string[],
  killWhen?: { readonly seen: number; readonly afterMs: number },
): Promise<number | null> {
  const env = { ...process.env, NODE_OPTIONS: '', LINEAGE_HOME: join(folder, 'home') };
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = seen;
    seen += text.split('\n').length - 1;
    if (killWhen && before < killWhen.seen && seen >= killWhen.seen)
      setTimeout(() => child.kill('SIGKILL'), killWhen.afterMs);
  });
  return await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
}

/** The same points for the same seed. */
function createDraw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
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
  const draw = createDraw(seed);
  const top = mkdtempSync(join(tmpdir(), 'lineage-tag-kills-'));
  const [work, spare] = [join(top, 'work'), join(top, 'spare')];
  const tag = (journal: string): string[] => ['tag', 'work', '--recursive', '--jsonl', '--journal', journal];
  const failures: string[] = [];
  let amidst = 0;
  try {
    await putPictures(spare, pictures);
    const old = hashesOf(spare);
    cpSync(spare, work, { recursive: true });
    if ((await run(top, tag('whole.jsonl'))) !== 0) throw new Error('a run that nobody killed failed');
    const made = hashesOf(work);
    for (let at = 0; at < count; at++) {
      const fail = (what: string): void => void failures.push(`point ${at}: ${what}`);
      rmSync(work, { recursive: true });
      cpSync(spare, work, { recursive: true, preserveTimestamps: true });
      const journals = [`first-${at}.jsonl`, `second-${at}.jsonl`];
      const [first = '', second = ''] = journals;
      await run(top, tag(first), { seen: Math.ceil(draw() * pictures), afterMs: Math.floor(draw() * 8) });

      const found = hashesOf(work);
      const isTemporary = (name: string): boolean => name.includes('.lineage-tmp-');
      let changed = 0;
      for (const [name, hash] of old) {
        const now = found.get(name);
        if (now === made.get(name)) changed++;
        else if (now !== hash) fail(`${name} is neither the old nor the new file`);
      }
      for (const name of found.keys())
        if (!old.has(name) && !isTemporary(name)) fail(`${name} was left behind`);
      if (changed > 0 && changed < old.size) amidst++;
      say(`point ${at}: ${changed} of ${old.size} were done`);

      if (at % 2 === 0) {
        if ((await run(top, tag(second))) !== 0) fail('going on failed');
        if (!same(hashesOf(work), made))
          fail('going on did not make what an unkilled run makes, and nothing else');
      }
      for (const journal of journals) {
        if (!existsSync(join(top, journal))) continue;
        // Taking back may be killed as well, and is gone on with.
        await run(top, ['undo', journal, '--jsonl'], {
          seen: Math.ceil(draw() * changed),
          afterMs: draw() * 8,
        });
        if ((await run(top, ['undo', journal, '--jsonl'])) !== 0) fail(`${journal} could not be undone`);
      }
      const rest = [...hashesOf(work)];
      // A folder that the killed run had only begun with is in no journal; the next run of tag tidies it.
      const left = new Map(at % 2 === 0 ? rest : rest.filter(([name]) => !isTemporary(name)));
      if (!same(left, old)) fail('undo did not bring the old files back');
    }
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
  return { amidst, failures };
}

function same(a: Hashes, b: Hashes): boolean {
  return a.size === b.size && [...a].every(([name, hash]) => b.get(name) === hash);
}
