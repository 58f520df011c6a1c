import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryLedger, type Ledger, openLedger } from '../../../bridge/local/ledger.ts';
import { createModelStore, type LocalModelStore } from '../../../bridge/local/model-store.ts';
import type { ModelFolder } from '../../../nodes/kit/values.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-models-')));
const stores: LocalModelStore[] = [];
afterAll(async () => {
  for (const store of stores) await store.close();
  rmSync(top, { recursive: true });
});

let home = '';
let models = '';
beforeEach(() => {
  home = mkdtempSync(join(top, 'case-'));
  models = join(home, 'models');
  mkdirSync(models);
});

function put(path: string, content = path): string {
  const absolute = join(home, path);
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, content);
  return absolute;
}

function open(folders: readonly string[] = [models], ledger: Ledger = createMemoryLedger()): LocalModelStore {
  const store = createModelStore({ folders, ledger });
  stores.push(store);
  return store;
}

/** The file that is found, relative to the test's own folder, or the reason why none is. */
async function find(name: string, folders: readonly ModelFolder[], store = open()): Promise<string> {
  const lookup = await store.find(name, folders);
  return lookup.found ? lookup.file.slice(home.length + 1) : lookup.reason;
}

describe('names as ComfyUI spells them', () => {
  test.each([
    ['a.safetensors', 'models/loras/a.safetensors'],
    ['a', 'models/loras/a.safetensors'],
    ['sub/b.safetensors', 'models/loras/sub/b.safetensors'],
    ['sub\\b.safetensors', 'models/loras/sub/b.safetensors'],
    ['sub\\b', 'models/loras/sub/b.safetensors'],
    ['./sub//b', 'models/loras/sub/b.safetensors'],
    ['v1.5', 'models/loras/v1.5.pt'],
    ['exact.pt', 'models/loras/exact.pt'],
    ['A.safetensors', 'missing'],
    ['a.ckpt', 'missing'],
    ['sub', 'missing'],
    ['', 'missing'],
    ['.', 'missing'],
    ['x'.repeat(300), 'missing'],
  ])('%j', async (name, expected) => {
    put('models/loras/a.safetensors');
    put('models/loras/a.pt');
    put('models/loras/sub/b.safetensors');
    put('models/loras/v1.5.pt');
    put('models/loras/exact.pt');
    put('models/loras/exact.pt.safetensors');
    expect(await find(name, ['loras'])).toBe(expected);
  });

  test('extensions are tried in one order', async () => {
    const order = ['.safetensors', '.sft', '.ckpt', '.pt', '.pth', '.bin', '.gguf'];
    for (const extension of order) put(`models/vae/v${extension}`);
    for (const extension of order) {
      expect(await find('v', ['vae'])).toBe(`models/vae/v${extension}`);
      rmSync(join(models, `vae/v${extension}`));
    }
    expect(await find('v', ['vae'])).toBe('missing');
  });

  test('folders of several names, in the order of ComfyUI', async () => {
    put('models/diffusion_models/d.sft');
    put('models/unet/u.sft');
    put('models/unet/both.sft');
    put('models/diffusion_models/both.sft');
    put('models/clip/c.sft');
    put('models/t2i_adapter/t.sft');
    expect(await find('d', ['diffusion_models'])).toBe('models/diffusion_models/d.sft');
    expect(await find('u', ['diffusion_models'])).toBe('models/unet/u.sft');
    expect(await find('both', ['diffusion_models'])).toBe('models/unet/both.sft');
    expect(await find('c', ['text_encoders'])).toBe('models/clip/c.sft');
    expect(await find('t', ['controlnet'])).toBe('models/t2i_adapter/t.sft');
    expect(await find('t', ['loras', 'vae'])).toBe('missing');
  });

  test('the folder that is named first wins, then the configured folder that comes first', async () => {
    put('models/checkpoints/m.ckpt');
    put('more/checkpoints/m.ckpt', 'longer than the other');
    put('more/diffusion_models/m.ckpt');
    const store = open([join(home, 'more'), models]);
    expect(await store.find('m', ['checkpoints', 'diffusion_models'])).toEqual({
      found: true,
      folder: 'checkpoints',
      file: join(home, 'more/checkpoints/m.ckpt'),
      bytes: 21,
    });
    expect(await store.find('m', ['diffusion_models', 'checkpoints'])).toMatchObject({
      folder: 'diffusion_models',
    });
  });
});

describe('a base name in another folder', () => {
  test('is accepted when it is the only one', async () => {
    put('models/loras/moved/here/l.safetensors');
    put('models/loras/one/twice.safetensors');
    put('models/loras/two/twice.safetensors');
    expect(await find('old/l.safetensors', ['loras'])).toBe('models/loras/moved/here/l.safetensors');
    expect(await find('l', ['loras'])).toBe('models/loras/moved/here/l.safetensors');
    expect(await find('old/twice.safetensors', ['loras'])).toBe('missing');
    expect(await find('two/twice', ['loras'])).toBe('models/loras/two/twice.safetensors');
    expect(await find('old/L.safetensors', ['loras'])).toBe('missing');
  });

  test('counts a file that two links lead to once', async () => {
    const file = put('models/loras/a/l.safetensors');
    mkdirSync(join(models, 'loras/b'));
    symlinkSync(file, join(models, 'loras/b/l.safetensors'));
    expect(await find('l', ['loras'])).toBe('models/loras/a/l.safetensors');
  });

  test('follows the folder as it changes', async () => {
    const file = put('models/loras/a/l.safetensors');
    const store = open();
    expect(await find('l', ['loras'], store)).toBe('models/loras/a/l.safetensors');
    mkdirSync(join(models, 'loras/b'));
    renameSync(file, join(models, 'loras/b/l.safetensors'));
    expect(await find('l', ['loras'], store)).toBe('models/loras/b/l.safetensors');
    put('models/loras/a/l.safetensors');
    expect(await find('l', ['loras'], store)).toBe('missing');
  });

  test('ends in folders that contain themselves', { timeout: 1000 }, async () => {
    put('models/loras/a/l.safetensors');
    for (const name of ['loop', 'again', 'third', 'fourth']) symlinkSync('..', join(models, 'loras/a', name));
    expect(await find('x/l', ['loras'])).toBe('models/loras/a/l.safetensors');
  });

  test('embeddings may differ in case as well, if only one fits', async () => {
    put('models/embeddings/EasyNegative.safetensors');
    put('models/embeddings/sd15/Bad_Hands.pt');
    put('models/embeddings/Twice.pt');
    put('models/embeddings/twice.pt');
    expect(await find('easynegative', ['embeddings'])).toBe('models/embeddings/EasyNegative.safetensors');
    expect(await find('bad_hands', ['embeddings'])).toBe('models/embeddings/sd15/Bad_Hands.pt');
    expect(await find('SD15/bad_hands.pt', ['embeddings'])).toBe('models/embeddings/sd15/Bad_Hands.pt');
    expect(await find('TWICE', ['embeddings'])).toBe('missing');
    expect(await find('twice', ['embeddings'])).toBe('models/embeddings/twice.pt');
  });
});

describe('never outside the configured folders', () => {
  beforeEach(() => {
    put('secret.safetensors');
    put('models/loras/inside.safetensors');
    put('models/secret.safetensors');
  });

  test.each([
    '../secret.safetensors',
    '../../secret.safetensors',
    'sub/../../../secret',
    '..\\..\\secret.safetensors',
    '..',
    'loras/..',
    '/etc/passwd',
    '\\\\host\\share\\x',
    'C:\\x.safetensors',
    'c:x',
    'inside.safetensors\0.png',
  ])('%j', async (name) => {
    expect(await find(name, ['loras'])).toBe('outside');
  });

  test('a link to a file or folder elsewhere, also through a second link', async () => {
    const loras = join(models, 'loras');
    symlinkSync(join(home, 'secret.safetensors'), join(loras, 'file.safetensors'));
    symlinkSync(home, join(loras, 'folder'));
    symlinkSync('file.safetensors', join(loras, 'twice.safetensors'));
    symlinkSync('/etc/passwd', join(loras, 'passwd'));
    symlinkSync('nowhere', join(loras, 'dangling'));
    symlinkSync('circle', join(loras, 'circle'));
    expect(await find('file.safetensors', ['loras'])).toBe('outside');
    expect(await find('file', ['loras'])).toBe('outside');
    expect(await find('folder/secret.safetensors', ['loras'])).toBe('outside');
    expect(await find('twice', ['loras'])).toBe('outside');
    expect(await find('passwd', ['loras'])).toBe('outside');
    expect(await find('dangling', ['loras'])).toBe('missing');
    expect(await find('circle', ['loras'])).toBe('missing');
  });

  test('the retry by base name does not look behind such links either', async () => {
    symlinkSync(home, join(models, 'loras/folder'));
    expect(await find('elsewhere/secret.safetensors', ['loras'])).toBe('missing');
    // Nor does a link to a file elsewhere make the one that is ours ambiguous.
    put('models/loras/a/l.safetensors');
    mkdirSync(join(models, 'loras/b'));
    symlinkSync(join(home, 'secret.safetensors'), join(models, 'loras/b/l.safetensors'));
    expect(await find('l', ['loras'])).toBe('models/loras/a/l.safetensors');
  });

  test('a folder whose name only starts like a configured one', async () => {
    const other = put('models-other/loras/x.safetensors');
    symlinkSync(other, join(models, 'loras/x.safetensors'));
    expect(await find('x', ['loras'])).toBe('outside');
  });

  test('a link into another configured folder is fine', async () => {
    const file = put('more/loras/l.safetensors');
    symlinkSync(file, join(models, 'loras/l.safetensors'));
    expect(await find('l', ['loras'], open([models]))).toBe('outside');
    expect(await find('l', ['loras'], open([models, join(home, 'more')]))).toBe('more/loras/l.safetensors');
  });

  test('configured folders may be links: models itself, and models/vae', async () => {
    put('disk/v.safetensors');
    symlinkSync(join(home, 'disk'), join(models, 'vae'));
    symlinkSync(models, join(home, 'alias'));
    const store = open([join(home, 'alias')]);
    expect(await find('v', ['vae'], store)).toBe('disk/v.safetensors');
    expect(await find('inside', ['loras'], store)).toBe('models/loras/inside.safetensors');
  });

  test('any name: a file inside, missing or outside', async () => {
    symlinkSync(home, join(models, 'loras/up'));
    const store = open();
    const unit = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      'up',
      'secret',
      'inside',
      '.safetensors',
      'models',
      'loras',
      '\0',
      'C:',
      '~',
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 8 }), async (name) => {
        const lookup = await store.find(name, ['loras', 'vae']);
        if (lookup.found) expect(lookup.file.startsWith(join(models, '/'))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['is missing', () => join(home, 'none')],
  ['is a file', () => put('file')],
])('a configured folder that %s', (_, path) => {
  expect(() => open([path()])).toThrow(
    expect.objectContaining({ code: 'models/not-a-folder', where: { file: path() } }),
  );
});

describe('hash', () => {
  /** printf models | sha256sum; A1111's hash of a file below 1 MiB is that of nothing. */
  const hashes = {
    sha256: '8edcc26c0f6c7256a71a8ede6b954ad9ec8dabf88f127c5e9d34f13cadefe11a',
    autoV1: 'e3b0c442',
    autoV2: '8edcc26c0f6c7256a71a8ede6b954ad9ec8dabf88f127c5e9d34f13cadefe11a'.slice(0, 10),
  };

  /** A ledger that counts what it is asked. */
  function counting(): Ledger & { hits: number; misses: number } {
    const inner = createMemoryLedger();
    const ledger = {
      ...inner,
      hits: 0,
      misses: 0,
      find(file: Parameters<Ledger['find']>[0]) {
        const found = inner.find(file);
        if (found) ledger.hits += 1;
        else ledger.misses += 1;
        return found;
      },
    };
    return ledger;
  }

  test('reads once and remembers, also under another name of the file', async () => {
    const file = put('models/loras/l.safetensors', 'models');
    linkSync(file, join(models, 'loras/hard.safetensors'));
    const ledger = counting();
    const store = open([models], ledger);
    expect(await store.hash(file)).toEqual(hashes);
    expect(await store.hash(join(models, 'loras/hard.safetensors'))).toEqual(hashes);
    expect([ledger.hits, ledger.misses]).toEqual([1, 1]);
  });

  test('a file of new content is read again even where size and modification time are put back', async () => {
    const file = put('models/loras/l.safetensors', 'models');
    utimesSync(file, 1_000_000, 1_000_000);
    const store = open();
    await store.hash(file);
    writeFileSync(file, 'MODELS');
    utimesSync(file, 1_000_000, 1_000_000);
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-r', file], { encoding: 'utf8' }).slice(
      0,
      64,
    );
    expect((await store.hash(file)).sha256).toBe(digest);
  });

  test('the ledger on disk serves the next store', async () => {
    const file = put('models/loras/l.safetensors', 'models');
    const path = join(home, 'lineage/ledger.sqlite');
    const warn = (error: Error): never => {
      throw error;
    };
    const first = openLedger(path, warn);
    await open([models], first).hash(file);
    first.close();
    // A mark in the ledger shows that the answer came from there.
    const database = new DatabaseSync(path);
    database.exec(`UPDATE file_hashes SET auto_v1 = 'feedface'`);
    database.close();
    const second = openLedger(path, warn);
    expect(await open([models], second).hash(file)).toEqual({ ...hashes, autoV1: 'feedface' });
    second.close();
  });

  test('reports progress with the name of the file', async () => {
    const file = put('models/vae/big.ckpt', '');
    truncateSync(file, 20 << 20);
    const seen: unknown[] = [];
    const store = createModelStore({
      folders: [models],
      ledger: createMemoryLedger(),
      onProgress: (...report) => seen.push(report),
    });
    stores.push(store);
    await store.hash(file);
    expect(seen).toEqual([[file, 16 << 20, 20 << 20]]);
  });

  test('what cannot be read, and what was aborted', async () => {
    const store = open();
    await expect(store.hash(join(models, 'none'))).rejects.toMatchObject({ code: 'file/unreadable' });
    await expect(store.hash(models)).rejects.toMatchObject({ code: 'file/unreadable' });
    const file = put('models/loras/l.safetensors', 'models');
    await expect(store.hash(file, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});

describe('folders that ComfyUI lists one by one', () => {
  const listed = (shelves: Partial<Record<ModelFolder, readonly string[]>>): LocalModelStore => {
    const store = createModelStore({ folders: [], shelves, ledger: createMemoryLedger() });
    stores.push(store);
    return store;
  };

  test('are looked through in order, whatever they are called; those that are not there hold nothing', async () => {
    put('fast-disk/weights/a.safetensors');
    put('slow-disk/a.safetensors');
    const store = listed({
      loras: [join(home, 'nowhere'), join(home, 'fast-disk/weights'), join(home, 'slow-disk')],
    });
    expect(await find('a.safetensors', ['loras'], store)).toBe('fast-disk/weights/a.safetensors');
    expect(await find('a.safetensors', ['vae'], store)).toBe('missing');
  });

  test('one that is there and cannot be used is told of', () => {
    put('a-file');
    symlinkSync('round', join(home, 'round'));
    const warned: unknown[] = [];
    const store = createModelStore({
      folders: [],
      shelves: { loras: [join(home, 'nowhere'), join(home, 'round')], vae: [join(home, 'a-file')] },
      ledger: createMemoryLedger(),
      warn: ({ code, where }) => warned.push([code, where.file]),
    });
    stores.push(store);
    const expected = ['round', 'a-file'].map((name) => ['models/not-a-folder', join(home, name)]);
    expect(warned).toHaveLength(2);
    expect(warned).toEqual(expect.arrayContaining(expected));
  });

  test('links lead from one into another, and not out of them', async () => {
    symlinkSync(put('second/b.safetensors'), join(dirname(put('first/x')), 'b.safetensors'));
    symlinkSync(put('elsewhere/c.safetensors'), join(home, 'first', 'c.safetensors'));
    const store = listed({ loras: [join(home, 'first')], vae: [join(home, 'second')] });
    expect(await find('b.safetensors', ['loras'], store)).toBe('second/b.safetensors');
    expect(await find('c.safetensors', ['loras'], store)).toBe('outside');
  });
});
