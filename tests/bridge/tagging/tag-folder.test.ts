import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type TagReport, tagReportSchema, type UndoReport } from '../../../nodes/metadata/file-reports.ts';
import { makeImage } from '../../formats/samples.ts';
import { pngTexts, putImage, textChunk, withChunks } from '../cli/pictures.ts';
import { type Ended, EXAMPLES, lineage, newFolder } from '../cli/run.ts';
import { mountTemporary } from '../merge/mount-temporary.ts';
import { promptText } from './random-pictures.ts';
import { runCommand } from './run-command.ts';

const plain = await makeImage('png', { width: 24, height: 16 });
const picture = (seed = 1): Buffer => withChunks(plain, [textChunk('prompt', promptText(seed, 'a cat'))]);

/** A folder with `pictures` in it. */
function newPlace(...names: readonly string[]): { readonly folder: string; readonly pictures: string } {
  const folder = newFolder();
  const pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  for (const [seed, name] of names.entries()) put(pictures, name, picture(seed));
  return { folder, pictures };
}

function put(folder: string, name: string, bytes: Uint8Array | string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

async function tag(folder: string, ...args: readonly string[]): Promise<readonly TagReport[]> {
  const options = ['--journal', join(folder, 'journal.jsonl'), '--jsonl'];
  const { printed } = await runCommand('tag', [join(folder, 'pictures'), ...options, ...args]);
  return printed.map((line) => tagReportSchema.strict().parse(JSON.parse(line)));
}

async function undo(journal: string): Promise<readonly UndoReport[]> {
  const { printed } = await runCommand('undo', [journal, '--jsonl']);
  return printed.map((line): UndoReport => JSON.parse(line));
}

/** What became of each file, by its name below `pictures`. */
function outcomes(folder: string, reports: readonly TagReport[]): Readonly<Record<string, string>> {
  const start = join(folder, 'pictures').length + 1;
  return Object.fromEntries(
    reports.map(({ file, outcome, error }) => [file.slice(start), error?.code ?? outcome]),
  );
}

const isTagged = (file: string): boolean => pngTexts(readFileSync(file), 'parameters').length === 1;

describe('which files are tagged', () => {
  test('those of a folder, and with --recursive those below it, in the order of their names', async () => {
    const { folder, pictures } = newPlace(
      'b.png',
      'a.PNG',
      'deep/er/c.png',
      '.hidden/d.png',
      '.e.png',
      'f.txt',
    );
    expect((await tag(folder, '--dry-run')).map(({ file }) => file)).toEqual([
      join(pictures, 'a.PNG'),
      join(pictures, 'b.png'),
    ]);
    expect(outcomes(folder, await tag(folder, '--recursive'))).toEqual({
      'a.PNG': 'tagged',
      'b.png': 'tagged',
      'deep/er/c.png': 'tagged',
    });
    expect(isTagged(join(pictures, 'deep/er/c.png'))).toBe(true);
    expect(isTagged(join(pictures, '.e.png'))).toBe(false);
  });

  test('--only takes formats by the names of files, and a file that is named itself whatever its name', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.jpg', 'c');
    expect(outcomes(folder, await tag(folder, '--only', 'jpg,webp', '--dry-run'))).toEqual({
      // A PNG inside: what it is tells the content.
      'b.jpg': 'would-tag',
    });
    const args = [join(pictures, 'c'), '--dry-run', '--jsonl'];
    expect(JSON.parse((await runCommand('tag', args)).printed[0] ?? '')).toMatchObject({
      outcome: 'would-tag',
    });
    await expect(runCommand('tag', [pictures, '--only', 'gif'])).rejects.toThrow('gif');
  });

  test('each once, however often it is named', async () => {
    const { folder, pictures } = newPlace('a.png', 'deep/b.png');
    const also = [pictures, join(pictures, 'deep'), join(pictures, 'a.png'), join(pictures, 'deep/b.png')];
    expect(await tag(folder, '--recursive', '--dry-run', ...also)).toHaveLength(2);
    // Without --recursive the folder below is a place of its own.
    expect(await tag(folder, '--dry-run', ...also)).toHaveLength(2);
  });

  test('--untagged leaves those alone that carry a text', async () => {
    const { folder, pictures } = newPlace('a.png');
    const text = 'old words\nSteps: 1, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 24x16';
    put(pictures, 'b.png', withChunks(picture(), [textChunk('parameters', text)]));
    expect(outcomes(folder, await tag(folder, '--untagged'))).toEqual({
      'a.png': 'tagged',
      'b.png': 'left-alone',
    });
    expect(pngTexts(readFileSync(join(pictures, 'b.png')), 'parameters')).toEqual([text]);
  });

  test('a path that is not there ends it before anything is done', async () => {
    const { pictures } = newPlace('a.png');
    const args = [pictures, join(pictures, 'none')];
    await expect(runCommand('tag', args)).rejects.toMatchObject({ code: 'file/missing' });
    expect(isTagged(join(pictures, 'a.png'))).toBe(false);
  });
});

describe('what is done', () => {
  test('--dry-run changes nothing and says what would be', async () => {
    const { folder, pictures } = newPlace('a.png');
    const before = statSync(join(pictures, 'a.png'), { bigint: true });
    const args = [pictures, '--dry-run', '--journal', join(folder, 'journal.jsonl')];
    const { printed, noted } = await runCommand('tag', args);
    expect(printed[0]).toMatch(/pictures\/a\.png: [\d.]+ B -> [\d.]+ KiB, stage full$/);
    expect(printed[1]).toBe('1 would be tagged');
    expect(noted).toEqual([]);
    const { ino, mtimeNs, ctimeNs } = statSync(join(pictures, 'a.png'), { bigint: true });
    expect({ ino, mtimeNs, ctimeNs }).toEqual({
      ino: before.ino,
      mtimeNs: before.mtimeNs,
      ctimeNs: before.ctimeNs,
    });
    expect(readdirSync(folder)).toEqual(['pictures']);
  });

  test('a second run changes nothing and says so', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.png');
    await tag(folder);
    const before = statSync(join(pictures, 'a.png'), { bigint: true });
    const { printed, found } = await runCommand('tag', [pictures, '--journal', join(folder, 'second.jsonl')]);
    expect({ printed, found }).toEqual({ printed: ['2 right already'], found: false });
    expect(statSync(join(pictures, 'a.png'), { bigint: true }).ctimeNs).toBe(before.ctimeNs);
    expect(existsSync(join(folder, 'second.jsonl'))).toBe(false);
  });

  test('--touch lets the time of the change be now', async () => {
    const { folder, pictures } = newPlace('a.png');
    utimesSync(join(pictures, 'a.png'), 1_000_000_000, 1_000_000_000);
    await tag(folder, '--touch');
    expect(Date.now() - statSync(join(pictures, 'a.png')).mtimeMs).toBeLessThan(60_000);
    await undo(join(folder, 'journal.jsonl'));
    expect(statSync(join(pictures, 'a.png')).mtimeMs).toBe(1_000_000_000_000);
  });

  test('what comes out is the same for any number of jobs', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `${at}.png`);
    const { folder, pictures } = newPlace(...names);
    put(pictures, '7.png', 'none');
    put(pictures, '29.png', picture().subarray(0, 90));
    const one = await tag(folder, '--dry-run', '--jobs', '1');
    expect(await tag(folder, '--dry-run', '--jobs', '16')).toEqual(one);
    expect(one).toHaveLength(30);
  });

  test('a picture that has only its workflow is tagged by the graph made of it', async () => {
    const { folder, pictures } = newPlace();
    const { workflow }: { workflow: object } = JSON.parse(
      readFileSync(join(EXAMPLES, 'sdxl-base-refiner.json'), 'utf8'),
    );
    const text = JSON.stringify(workflow).replace(/[^\0-\x7e]/g, '?');
    put(pictures, 'a.png', withChunks(plain, [textChunk('workflow', text)]));
    put(pictures, 'b.png', withChunks(plain, [textChunk('workflow', '{"nodes":[],"links":[]}')]));
    const [made, empty] = await tag(folder);
    expect(made).toMatchObject({ outcome: 'tagged' });
    expect(made?.warnings.map(({ code }) => code)).toContain('workflow/converted');
    expect(empty).toMatchObject({ outcome: 'failed', error: { code: 'graph/malformed' } });
    const { printed } = await runCommand('tag', [join(pictures, 'a.png')]);
    expect(printed).toEqual(['1 right already']);
  });

  test('hashes that were found stay where the models are not at hand', async () => {
    const { folder, pictures } = newPlace('a.png');
    put(folder, 'models/checkpoints/old/dream.safetensors', 'weights');
    const home = process.env['LINEAGE_HOME'];
    process.env['LINEAGE_HOME'] = join(folder, 'home');
    try {
      const [report] = await tag(folder, '--models', join(folder, 'models'));
      // sha256sum of "weights"
      expect(report?.parameters).toContain('Model hash: 9a129038d9');
      const { printed } = await runCommand('tag', [pictures]);
      expect(printed).toEqual(['1 right already']);
    } finally {
      if (home === undefined) delete process.env['LINEAGE_HOME'];
      else process.env['LINEAGE_HOME'] = home;
    }
  });

  test('other names of the same file keep the old one', async () => {
    const { folder, pictures } = newPlace('a.png');
    linkSync(join(pictures, 'a.png'), join(folder, 'backup.png'));
    await tag(folder);
    expect(readFileSync(join(folder, 'backup.png')).equals(picture(0))).toBe(true);
  });
});

describe('what cannot be done is told, and stops nothing', () => {
  test('one line a file, and the exit status of findings', async () => {
    const { folder, pictures } = newPlace('good.png');
    put(pictures, 'bare.png', plain);
    put(pictures, 'empty.png', '');
    put(pictures, 'text.jpg', 'no picture');
    put(pictures, 'torn.png', picture().subarray(0, 60));
    put(pictures, 'new\nline\u001b[31m.png', 'x');
    const args = ['tag', 'pictures', '--journal', 'journal.jsonl'];
    const ended: Ended = await lineage(folder, args);
    expect(ended.status).toBe(4);
    expect(ended.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^pictures\/bare\.png: \[graph\/malformed\] .+/),
      expect.stringMatching(/^pictures\/empty\.png: \[image\/unknown-format\] .+/),
      expect.stringMatching(/^pictures\/new\\u\{a\}line\\u\{1b\}\[31m\.png: \[image\/unknown-format\] .+/),
      expect.stringMatching(/^pictures\/text\.jpg: \[image\/unknown-format\] .+/),
      expect.stringMatching(/^pictures\/torn\.png: \[png\/malformed\] .+/),
    ]);
    expect(ended.stdout).toBe(
      `1 tagged, 5 not done\nto undo: lineage undo ${join(folder, 'journal.jsonl')}\n`,
    );
    expect(isTagged(join(pictures, 'good.png'))).toBe(true);
  });

  test('links are not followed, not in circles and not out of the folder', async () => {
    const { folder, pictures } = newPlace('a.png', 'deep/b.png');
    put(folder, 'other/c.png', picture(9));
    symlinkSync('..', join(pictures, 'deep/up'));
    symlinkSync('self.png', join(pictures, 'self.png'));
    symlinkSync('a.png', join(pictures, 'again.png'));
    symlinkSync('../other', join(pictures, 'out'));
    symlinkSync('../other/c.png', join(pictures, 'out.png'));
    expect(outcomes(folder, await tag(folder, '--recursive'))).toEqual({
      'a.png': 'tagged',
      'deep/b.png': 'tagged',
      out: 'path/outside',
      'out.png': 'path/outside',
      'self.png': 'file/unreadable',
    });
    expect(readFileSync(join(folder, 'other/c.png')).equals(picture(9))).toBe(true);
    // A link that a person names is followed.
    const args = [join(pictures, 'out.png'), '--journal', join(folder, 'named.jsonl')];
    expect((await runCommand('tag', args)).printed[0]).toBe('1 tagged');
    expect(isTagged(join(folder, 'other/c.png'))).toBe(true);
    expect(readdirSync(join(folder, 'other'))).toEqual(['c.png']);
  });

  test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
    const { folder, pictures } = newPlace('a.png');
    execFileSync('mkfifo', [join(pictures, 'p.png')]);
    const expected = { 'a.png': 'tagged', 'p.png': 'file/unreadable' };
    expect(outcomes(folder, await tag(folder))).toEqual(expected);
  });

  test('a file that is too large is refused before it is read', async () => {
    const { folder, pictures } = newPlace('a.png');
    put(pictures, 'large.png', picture());
    truncateSync(join(pictures, 'large.png'), 2 ** 40);
    const expected = { 'a.png': 'tagged', 'large.png': 'file/unreadable' };
    expect(outcomes(folder, await tag(folder))).toEqual(expected);
  });

  test.skipIf(process.platform !== 'linux')('files and folders that are closed to us', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.png', 'closed/c.png', 'fixed/d.png');
    const isRoot = process.getuid?.() === 0;
    if (isRoot) execFileSync('chown', ['-R', '65534:65534', folder]);
    chmodSync(join(pictures, 'b.png'), 0);
    chmodSync(join(pictures, 'closed'), 0);
    chmodSync(join(pictures, 'fixed'), 0o555);
    const program = new URL('../../../bridge/lineage.mjs', import.meta.url).pathname;
    const args = [program, 'tag', 'pictures', '--recursive', '--jsonl', '--journal', 'journal.jsonl'];
    const env = { ...process.env, HOME: folder, NODE_OPTIONS: '', LINEAGE_HOME: join(folder, 'home') };
    const ids = isRoot ? { uid: 65534, gid: 65534 } : {};
    try {
      let stdout = '';
      try {
        execFileSync(process.execPath, args, { cwd: folder, env, stdio: 'pipe', ...ids });
      } catch (error) {
        // Status 4, for what was found.
        stdout = String(Reflect.get(Object(error), 'stdout'));
      }
      const reports = stdout
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [tagReportSchema.parse(JSON.parse(line))]));
      expect(
        Object.fromEntries(reports.map(({ file, outcome, error }) => [file, error?.code ?? outcome])),
      ).toEqual({
        'pictures/a.png': 'tagged',
        'pictures/b.png': 'file/unreadable',
        'pictures/closed': 'file/unreadable',
        'pictures/fixed/d.png': 'file/unwritable',
      });
    } finally {
      for (const name of ['b.png', 'closed', 'fixed']) chmodSync(join(pictures, name), 0o755);
    }
  });

  test('a full disk leaves the old files, and no others', async () => {
    const { folder } = newPlace();
    const disk = join(folder, 'disk');
    if (!mountTemporary(disk, '96k')) return;
    try {
      const large = withChunks(picture(), [{ type: 'prVt', data: Buffer.alloc(56 * 1024, 7) }]);
      writeFileSync(join(disk, 'a.png'), large);
      const args = [disk, '--journal', join(folder, 'journal.jsonl'), '--jsonl'];
      const { printed } = await runCommand('tag', args);
      const report = tagReportSchema.parse(JSON.parse(printed[0] ?? ''));
      expect(report).toMatchObject({ outcome: 'failed', error: { code: 'file/unwritable' } });
      expect(report.error?.message).toContain('ENOSPC');
      expect(readdirSync(disk)).toEqual(['a.png']);
      expect(readFileSync(join(disk, 'a.png')).equals(large)).toBe(true);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('the journal', () => {
  test('where it cannot be written nothing is changed, and the run ends', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.png');
    put(folder, 'file', '');
    const args = ['tag', 'pictures', '--journal', 'file/journal.jsonl'];
    const ended = await lineage(folder, args);
    expect(ended.status, ended.stderr).toBe(3);
    expect(ended.stderr).toContain('file/unwritable');
    expect(readFileSync(join(pictures, 'a.png')).equals(picture(0))).toBe(true);
    expect(readdirSync(pictures)).toEqual(['a.png', 'b.png']);
  });

  test('on a full disk the run ends with what the journal holds', async () => {
    const { folder, pictures } = newPlace();
    for (let at = 0; at < 40; at++) put(pictures, `${at}.png`, picture(at));
    const disk = join(folder, 'disk');
    if (!mountTemporary(disk, '16k')) return;
    try {
      const before = new Map(readdirSync(pictures).map((name) => [name, readFileSync(join(pictures, name))]));
      const journal = join(disk, 'journal.jsonl');
      await expect(runCommand('tag', [pictures, '--journal', journal])).rejects.toMatchObject({
        code: 'file/unwritable',
        where: { file: journal },
      });
      const tagged = readdirSync(pictures).filter((name) => isTagged(join(pictures, name)));
      expect(tagged.length).toBeGreaterThan(0);
      expect(tagged.length).toBeLessThan(40);
      await undo(journal);
      for (const [name, bytes] of before)
        expect(readFileSync(join(pictures, name)).equals(bytes), name).toBe(true);
      expect(readdirSync(pictures).sort()).toEqual([...before.keys()].sort());
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('an existing file is never taken for it', async () => {
    const { folder, pictures } = newPlace('a.png');
    put(folder, 'journal.jsonl', 'mine');
    await expect(tag(folder)).rejects.toMatchObject({ code: 'output/exists' });
    expect(readFileSync(join(folder, 'journal.jsonl'), 'utf8')).toBe('mine');
    expect(isTagged(join(pictures, 'a.png'))).toBe(false);
  });

  test('is readable by its owner alone, and lies in LINEAGE_HOME by custom', async () => {
    const { folder, pictures } = newPlace('a.png');
    const before = process.env['LINEAGE_HOME'];
    process.env['LINEAGE_HOME'] = join(folder, 'home');
    try {
      const { printed } = await runCommand('tag', [pictures]);
      const journal = /^to undo: lineage undo (.+)$/.exec(printed[1] ?? '')?.[1] ?? '';
      expect(journal.startsWith(join(folder, 'home/undo/'))).toBe(true);
      if (process.platform !== 'win32') expect(statSync(journal).mode & 0o777).toBe(0o600);
      expect((await runCommand('undo', [journal])).printed).toEqual(['1 restored']);
    } finally {
      if (before === undefined) delete process.env['LINEAGE_HOME'];
      else process.env['LINEAGE_HOME'] = before;
    }
  });
});

describe('undo', () => {
  test('refuses what was changed since, restores the rest, and twice is harmless', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.png', 'c.png', 'd.png');
    await tag(folder);
    const changed = Buffer.concat([readFileSync(join(pictures, 'b.png')), Buffer.from([1])]);
    put(pictures, 'b.png', changed);
    rmSync(join(pictures, 'c.png'));
    put(pictures, 'd.png', picture(3));
    const journal = join(folder, 'journal.jsonl');
    for (const first of ['restored', 'untouched']) {
      const reports = await undo(journal);
      expect(
        Object.fromEntries(reports.map(({ file, outcome, error }) => [file.at(-5), error?.code ?? outcome])),
      ).toEqual({
        a: first,
        b: 'undo/changed',
        c: 'file/missing',
        d: 'untouched',
      });
    }
    expect(readFileSync(join(pictures, 'a.png')).equals(picture(0))).toBe(true);
    expect(readFileSync(join(pictures, 'b.png')).equals(changed)).toBe(true);
    expect((await runCommand('undo', [journal])).found).toBe(true);
  });

  test('--dry-run changes nothing', async () => {
    const { folder, pictures } = newPlace('a.png');
    await tag(folder);
    const { printed } = await runCommand('undo', [join(folder, 'journal.jsonl'), '--dry-run']);
    expect(printed).toEqual([join(pictures, 'a.png'), '1 would be restored']);
    expect(isTagged(join(pictures, 'a.png'))).toBe(true);
  });

  test('a last line that was cut off is told of; damage elsewhere costs its own file alone', async () => {
    const { folder, pictures } = newPlace('a.png', 'b.png', 'c.png');
    await tag(folder, '--jobs', '1');
    const journal = join(folder, 'journal.jsonl');
    const [head = '', a = '', b = '', c = ''] = readFileSync(journal, 'utf8').split('\n');
    put(pictures, 'c.png', picture(2));
    // One sign of what was kept: the hash tells.
    const spoilt = a.replace(/"kept":"(.{20})./, (_, start: string) => `"kept":"${start}A`);
    writeFileSync(journal, [head, spoilt, '{"file": 1}', b, c.slice(0, 100)].join('\n'));
    const { printed, noted } = await runCommand('undo', [journal, '--jsonl']);
    const reports = printed.map((line): UndoReport => JSON.parse(line));
    expect(reports.map(({ outcome, error }) => error?.code ?? outcome)).toEqual([
      'undo/malformed',
      'undo/malformed',
      'restored',
    ]);
    expect(noted[0]).toContain('line 5 was cut off');
    expect(isTagged(join(pictures, 'a.png'))).toBe(true);
    expect(readFileSync(join(pictures, 'b.png')).equals(picture(1))).toBe(true);
  });

  test('an entry that makes another file than the old one is refused', async () => {
    const { folder, pictures } = newPlace('a.png');
    await tag(folder);
    const journal = join(folder, 'journal.jsonl');
    const [head = '', line = ''] = readFileSync(journal, 'utf8').split('\n');
    const entry: { kept: string } = JSON.parse(line);
    const kept = inflateRawSync(Buffer.from(entry.kept, 'base64'));
    kept[kept.length - 1] = (kept.at(-1) ?? 0) ^ 1;
    entry.kept = deflateRawSync(kept).toString('base64');
    writeFileSync(journal, `${head}\n${JSON.stringify(entry)}\n`);
    const [report] = await undo(journal);
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'undo/malformed' } });
    expect(isTagged(join(pictures, 'a.png'))).toBe(true);
  });

  test('a journal of another folder, of a stranger or of a later version reaches nothing', async () => {
    const { folder, pictures } = newPlace('a.png');
    await tag(folder);
    const journal = join(folder, 'journal.jsonl');
    const lines = readFileSync(journal, 'utf8');
    put(folder, 'elsewhere.jsonl', lines.replace(`"folders":["${pictures}"]`, '"folders":["/nowhere"]'));
    const [report] = await undo(join(folder, 'elsewhere.jsonl'));
    expect(report?.error?.code).toBe('path/outside');
    put(folder, 'later.jsonl', lines.replace('"version":1', '"version":2'));
    await expect(undo(join(folder, 'later.jsonl'))).rejects.toMatchObject({ code: 'undo/malformed' });
    await expect(undo(join(pictures, 'a.png'))).rejects.toMatchObject({ code: 'undo/malformed' });
    await expect(undo(folder)).rejects.toMatchObject({ code: 'undo/malformed' });
    await expect(undo(join(folder, 'none'))).rejects.toMatchObject({ code: 'file/missing' });
    expect(isTagged(join(pictures, 'a.png'))).toBe(true);
  });
});

test('a run that is interrupted ends at a file, says how to take it back, and goes on', async () => {
  const { folder } = newPlace(...Array.from({ length: 300 }, (_, at) => `${at}.png`));
  const args = ['tag', 'pictures', '--jsonl', '--journal', 'journal.jsonl'];
  const ended = await lineage(folder, args, {
    onStart: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
  });
  expect(ended.status).toBe(130);
  expect(ended.stderr).toMatch(/^\d+ tagged\nto undo: lineage undo .+journal\.jsonl\ninterrupted;/);
  const done = ended.stdout.trimEnd().split('\n').length;
  expect(done).toBeLessThan(300);
  const second = await lineage(folder, ['tag', 'pictures', '--journal', 'second.jsonl']);
  expect(second.stdout).toMatch(/^\d+ tagged, \d+ right already\n/);
  expect(readdirSync(join(folder, 'pictures')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('nothing of the moving line is in a pipe', async () => {
  const { folder, pictures } = newPlace('a.png');
  await putImage(pictures, 'bare.webp', 'webp');
  const { stdout, stderr } = await lineage(folder, ['tag', 'pictures', '--journal', 'journal.jsonl']);
  expect(stdout + stderr).not.toMatch(/\u001b|\r|#/);
});
