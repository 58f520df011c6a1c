import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createOutputFolder } from '../../../bridge/local/output-folder.ts';
import { startChild } from './children/start.ts';

const top = mkdtempSync(join(tmpdir(), 'lineage-output-'));
afterAll(() => rmSync(top, { recursive: true }));

let root = '';
let lastRoot = 0;
beforeEach(() => {
  lastRoot += 1;
  root = join(top, `case-${lastRoot}`, 'output');
});

const bytes = Buffer.from('a picture');

function save(
  prefix: string,
  options: { counter?: boolean; extension?: string; companions?: ReadonlyMap<string, Uint8Array> } = {},
) {
  const { counter = true, extension = 'png', companions } = options;
  return createOutputFolder(root).writeOutput({
    prefix,
    extension,
    counter,
    bytes,
    ...(companions && { companions }),
  });
}

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), 'mine');
  }
}

function list(): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

describe('names', () => {
  test('the first file of a folder that is not there yet', async () => {
    expect(await save('day/night/image')).toBe('day/night/image_00001_.png');
    expect(readFileSync(join(root, 'day/night/image_00001_.png'))).toEqual(bytes);
    expect(await save('day\\night\\image')).toBe('day/night/image_00002_.png');
  });

  /** The expected numbers: get_save_image_path of ComfyUI a125cd84 over the same listings, read by hand. */
  test.each([
    [
      'continues after the highest, gaps or not',
      ['image_00001_.png', 'image_00007_.png'],
      'image_00008_.png',
    ],
    ['counts any extension', ['image_00004_.webp'], 'image_00005_.png'],
    ['counts a number that ends the name', ['image_00004'], 'image_00005_.png'],
    ['counts what has more after the number', ['image_00004_mask.png'], 'image_00005_.png'],
    [
      'another prefix is another series',
      ['image2_00009_.png', 'images_00009_.png', 'imag_00009_.png'],
      'image_00001_.png',
    ],
    ['a longer prefix with the same start too', ['image_b_00009_.png'], 'image_00001_.png'],
    ['not a counter', ['image_x_.png', 'image_.png', 'image_00003.png', 'image.png'], 'image_00001_.png'],
    ['no dates', ['image_20251120235959_.png'], 'image_00001_.png'],
    ['grows beyond five digits', ['image_99999_.png'], 'image_100000_.png'],
    ['a folder counts as well', ['image_00002_/x'], 'image_00003_.png'],
  ])('the counter %s', async (_, there, expected) => {
    put(...there);
    expect(await save('image')).toBe(expected);
  });

  test('characters of a regular expression in a prefix mean themselves', async () => {
    put('a+(b_00004_.png', 'aab_00009_.png');
    expect(await save('a+(b')).toBe('a+(b_00005_.png');
  });

  test('the last counter, and one more', async () => {
    put('image_99999998_.png');
    expect(await save('image')).toBe('image_99999999_.png');
    await expect(save('image')).rejects.toMatchObject({ code: 'output/exhausted' });
    expect(list()).toHaveLength(2);
  });

  test('without a counter the name is taken once', async () => {
    expect(await save('image', { counter: false })).toBe('image.png');
    await expect(save('image', { counter: false })).rejects.toMatchObject({
      code: 'output/exists',
      where: { file: join(root, 'image.png') },
    });
    expect(await save('image', { counter: false, extension: '.webp' })).toBe('image.webp');
    expect(list()).toEqual(['image.png', 'image.webp']);
  });
});

describe('companions', () => {
  const companions = new Map([['.png.lineage.json', Buffer.from('{}')]]);

  test('lie beside the picture under the same stem', async () => {
    await save('image', { companions });
    expect(list()).toEqual(['image_00001_.png', 'image_00001_.png.lineage.json']);
    expect(readFileSync(join(root, 'image_00001_.png.lineage.json'), 'utf8')).toBe('{}');
  });

  test('a companion left over from a crash keeps its number to itself', async () => {
    put('image_00001_.png.lineage.json');
    expect(await save('image', { companions })).toBe('image_00002_.png');
    expect(readFileSync(join(root, 'image_00001_.png.lineage.json'), 'utf8')).toBe('mine');
  });

  test('without a counter nothing is left of a picture whose companion has no room', async () => {
    put('image.png.lineage.json');
    await expect(save('image', { counter: false, companions })).rejects.toMatchObject({
      code: 'output/exists',
    });
    expect(list()).toEqual(['image.png.lineage.json']);
  });

  test.each(['/../../x', '.png/../x', '', 'png', '.', '..', '.a\0'])(
    'the ending %j is refused',
    async (ending) => {
      await expect(save('image', { companions: new Map([[ending, bytes]]) })).rejects.toMatchObject({
        code: 'output/outside',
      });
      expect(list()).toEqual([]);
    },
  );
});

describe('stays inside', () => {
  test('a link that leads out is not followed', async () => {
    const outside = join(root, '..', 'outside');
    mkdirSync(outside, { recursive: true });
    mkdirSync(join(root, 'a'), { recursive: true });
    symlinkSync(outside, join(root, 'a', 'out'));
    symlinkSync('../..', join(root, 'a', 'up'));
    symlinkSync(join(root, '..', 'nothing'), join(root, 'dangling'));
    symlinkSync('circle', join(root, 'circle'));
    for (const prefix of [
      'a/out/image',
      'a/out/deeper/image',
      'a/up/image',
      'dangling/image',
      'circle/image',
    ]) {
      await expect(save(prefix), prefix).rejects.toMatchObject({ code: 'output/outside' });
    }
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(join(root, '..', 'nothing'))).toBe(false);
  });

  test('a folder whose name only starts like the root is outside', async () => {
    mkdirSync(root, { recursive: true });
    mkdirSync(`${root}-other`);
    symlinkSync(`${root}-other`, join(root, 'other'));
    await expect(save('other/image')).rejects.toMatchObject({ code: 'output/outside' });
  });

  test('a link within the root, and a root that is a link, are fine', async () => {
    mkdirSync(join(root, 'a'), { recursive: true });
    symlinkSync('a', join(root, 'b'));
    expect(await save('b/image')).toBe('b/image_00001_.png');
    const link = join(root, '..', 'link');
    symlinkSync(root, link);
    expect(
      await createOutputFolder(link).writeOutput({
        prefix: 'a/image',
        extension: 'png',
        counter: true,
        bytes,
      }),
    ).toBe('a/image_00002_.png');
  });

  test('a link in the place of the picture is not written through', async () => {
    const victim = join(root, '..', 'victim');
    mkdirSync(root, { recursive: true });
    symlinkSync(victim, join(root, 'image.png'));
    await expect(save('image', { counter: false })).rejects.toMatchObject({ code: 'output/exists' });
    expect(existsSync(victim)).toBe(false);
  });

  test('any prefix: a file inside, under the name that is returned, or output/outside', async () => {
    const unit = fc.constantFrom(
      '.',
      '..',
      '/',
      '\\',
      '~',
      'C:',
      ' ',
      '\0',
      '%',
      'CON',
      '猫',
      '\ud800',
      'a',
      'b',
      '_',
      '-',
      '\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit, maxLength: 12 }), fc.string({ maxLength: 20 })),
        fc.boolean(),
        async (prefix, counter) => {
          const parent = mkdtempSync(join(top, 'any-'));
          const inner = join(parent, 'output');
          const outcome = await createOutputFolder(inner)
            .writeOutput({ prefix, extension: 'png', counter, bytes })
            .catch((error: { code?: string }) => error.code);
          if (outcome !== 'output/outside') {
            const path = resolve(inner, String(outcome));
            expect(path.startsWith(inner + sep)).toBe(true);
            expect(readFileSync(path)).toEqual(bytes);
          }
          expect(readdirSync(parent).filter((name) => name !== 'output')).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('a file where a folder should be is unwritable, and leaves nothing behind', async () => {
  put('file');
  await expect(save('file/image')).rejects.toMatchObject({
    code: 'file/unwritable',
    cause: expect.any(Error),
  });
  expect(list()).toEqual(['file']);
});

/** The content of a file of `save-many.ts` says how long it must be. */
function isComplete(path: string): boolean {
  const [length = '', body = ''] = readFileSync(path, 'utf8').split(/\n(.*)/s);
  return length !== '' && body.length === Number(length);
}

test('two processes with one prefix: a hundred saves, a hundred files, each with its own companion', async () => {
  const children = await Promise.all(
    ['first', 'second'].map((label) => startChild('save-many.ts', [root, 'race/image', 50, label, 2000])),
  );
  for (const child of children) child.go();
  const ends = await Promise.all(children.map((child) => child.done));
  expect(ends.map(({ status, errors }) => ({ status, errors }))).toEqual(
    Array(2).fill({ status: 0, errors: '' }),
  );

  const answered = ends.flatMap(({ lines }) => lines);
  const expected = Array.from({ length: 100 }, (_, i) => `race/image_${String(i + 1).padStart(5, '0')}_.png`);
  expect(answered.toSorted()).toEqual(expected);
  expect(list()).toEqual(expected.flatMap((name) => [name, `${name}.json`]).sort());
  for (const [index, { lines }] of ends.entries()) {
    for (const [number, name] of lines.entries()) {
      const content = readFileSync(join(root, name), 'utf8');
      expect(content).toContain(`${index === 0 ? 'first' : 'second'} ${number}\n`);
      expect(readFileSync(join(root, `${name}.json`), 'utf8')).toBe(content);
    }
  }
  // They did run at the same time.
  expect(answered.slice(0, 50)).not.toEqual(expected.slice(0, 50));
});

test('killed the moment a final name appears, or at any other: what has a final name is complete', async () => {
  const finalNames = (): string[] => list().filter((name) => !name.startsWith('.lineage-tmp-'));
  mkdirSync(root, { recursive: true });
  for (let round = 0; round < 6; round++) {
    const child = await startChild('save-many.ts', [root, 'image', 10_000, `round-${round}`, 4_000_000]);
    const before = finalNames().length;
    child.go();
    while (finalNames().length === before) await new Promise((done) => setImmediate(done));
    // Odd rounds: some time into what comes next.
    if (round % 2 === 1) await new Promise((done) => setTimeout(done, round * 4));
    child.process.kill('SIGKILL');
    const { lines } = await child.done;
    for (const name of lines) expect(existsSync(join(root, name))).toBe(true);
  }
  const final = finalNames();
  expect(final.length).toBeGreaterThanOrEqual(6);
  for (const name of final) {
    expect(isComplete(join(root, name)), name).toBe(true);
    expect(name).toMatch(/^image_\d{5}_\.png(\.json)?$/);
    // A companion never stands alone.
    if (name.endsWith('.json')) expect(final).toContain(name.slice(0, -5));
  }
}, 20_000);
