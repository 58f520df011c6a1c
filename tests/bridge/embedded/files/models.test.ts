import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePixels } from '../../../../nodes/formats/pixels.ts';
import { makeFolders, removeFolders, serveFiles, type TestFolders, type TestServer } from './file-server.ts';
import { transparentPng } from './sample-picture.ts';

const made = makeFolders();
const second = join(made.top, 'second');
const folders: TestFolders = { ...made, models: [...made.models, second] };
const [models = ''] = folders.models;
let server: TestServer;

/** length u64 LE · JSON · tensors. @see https://github.com/huggingface/safetensors#format */
function safetensors(header: string, length = BigInt(Buffer.byteLength(header))): Buffer {
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length);
  return Buffer.concat([start, Buffer.from(header), Buffer.alloc(4)]);
}
const TENSOR = '"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

function put(path: string, bytes: string | Uint8Array = 'x', root = models): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
}

beforeAll(async () => {
  const png = await transparentPng();
  put('checkpoints/sub/m.safetensors', safetensors(`{"__metadata__":{"a":"b","n":"1"},${TENSOR}}`));
  put('checkpoints/z.ckpt');
  put('checkpoints/.hidden.ckpt');
  put('checkpoints/.git/x.ckpt');
  put('checkpoints/z.ckpt', 'y', second);
  put('checkpoints/b.pt', 'y', second);
  put('unet/u.safetensors');
  put('diffusion_models/d.SafeTensors');
  put('embeddings/e.pt');
  put('embeddings/deep/f.v2.safetensors');
  put('loras/readme.txt');
  put('loras/n.safetensors', safetensors(`{${TENSOR}}`));
  put('loras/n.preview.png', png);
  put(
    'loras/cover.safetensors',
    safetensors(
      JSON.stringify({
        __metadata__: { ssmd_cover_images: JSON.stringify(['zzz', png.toString('base64')]) },
      }),
    ),
  );
  put('loras/svg.safetensors');
  put('loras/svg.png', '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>');
  put('loras/short.safetensors', safetensors('{}', 500n));
  put('loras/huge.safetensors', safetensors('{"__metadata__":{"a":"b"}}', 2n ** 63n));
  put('loras/over.safetensors', safetensors(`{"__metadata__":{"a":"${'x'.repeat(1024 * 1024)}"}}`));
  put('loras/list.safetensors', safetensors('[1]'));
  put('loras/text.safetensors', safetensors('{"__metadata__":"a"}'));
  put('loras/junk.safetensors', safetensors('{"__metadata__":{'));
  put('loras/tiny.safetensors', 'abc');
  put('loras/proto.safetensors', safetensors('{"__metadata__":{"__proto__":"p","constructor":"c"}}'));
  mkdirSync(join(models, 'loras/folder.safetensors'));
  writeFileSync(join(made.outside, 'secret.safetensors'), safetensors('{"__metadata__":{"secret":"1"}}'));
  writeFileSync(join(made.outside, 'secret.png'), png);
  symlinkSync(join(made.outside, 'secret.safetensors'), join(models, 'loras/link.safetensors'));
  symlinkSync(join(made.outside, 'secret.png'), join(models, 'loras/link.png'));
  symlinkSync('../checkpoints/sub', join(models, 'loras/inner'));
  symlinkSync('..', join(models, 'checkpoints/circle'));
  // A shelf that is a link is the owner's own.
  mkdirSync(join(made.top, 'big-disk'));
  put('v.vae.pt', 'x', join(made.top, 'big-disk'));
  symlinkSync(join(made.top, 'big-disk'), join(models, 'vae'));
  server = await serveFiles(folders);
});
afterAll(async () => {
  await server.close();
  removeFolders(made);
});

const get = (path: string) => server.ask(path);

/** Shapes and codes as recorded from ComfyUI 0.8.0 (618b803d); its `custom_nodes` is no folder of models here. */
describe('names', () => {
  test('of the folders, in the order of ComfyUI', async () => {
    expect((await get('/models')).json()).toEqual([
      'checkpoints',
      'configs',
      'loras',
      'vae',
      'text_encoders',
      'diffusion_models',
      'clip_vision',
      'style_models',
      'embeddings',
      'diffusers',
      'vae_approx',
      'controlnet',
      'gligen',
      'upscale_models',
      'latent_upscale_models',
      'hypernetworks',
      'photomaker',
      'classifiers',
      'model_patches',
      'audio_encoders',
    ]);
  });

  test.each([
    ['/models/diffusion_models', ['d.SafeTensors', 'u.safetensors']],
    ['/models/vae', ['v.vae.pt']],
    ['/models/configs', []],
    ['/embeddings', ['deep/f.v2', 'e']],
    ['/api/embeddings', ['deep/f.v2', 'e']],
  ])('%s', async (path, expected) => {
    expect((await get(path)).json()).toEqual(expected);
  });

  test('each once, from all folders; no hidden ones, none through links that lead out', async () => {
    const checkpoints = (await get('/models/checkpoints')).json() as string[];
    expect(checkpoints.filter((name) => !name.startsWith('circle/'))).toEqual([
      'b.pt',
      'sub/m.safetensors',
      'z.ckpt',
    ]);
    const loras = (await get('/models/loras')).json() as string[];
    expect(loras).toContain('inner/m.safetensors');
    expect(loras).not.toContain('link.safetensors');
    expect(loras).not.toContain('readme.txt');
  });

  test.each([
    '/models/zz',
    '/models/unet',
    '/models/..%2F..',
    '/models/__proto__',
    '/models/constructor',
    '/experiment/models/zz',
    '/experiment/models/__proto__',
  ])('%s is 404', async (path) => {
    const answer = await get(path);
    expect([answer.status, answer.text]).toEqual([404, '']);
  });

  test('with paths, and with sizes and times', async () => {
    const all = (await get('/experiment/models')).json() as { name: string; folders: string[] }[];
    expect(all.map(({ name }) => name)).not.toContain('configs');
    expect(all[0]).toEqual({
      name: 'checkpoints',
      folders: [join(models, 'checkpoints'), join(second, 'checkpoints')],
    });
    const vae = (await get('/experiment/models/vae')).json();
    const time = expect.any(Number);
    expect(vae).toEqual([{ name: 'v.vae.pt', pathIndex: 0, modified: time, created: time, size: 1 }]);
    const files = (await get('/experiment/models/checkpoints')).json() as {
      name: string;
      pathIndex: number;
    }[];
    expect(files).toContainEqual({ name: 'b.pt', pathIndex: 1, modified: time, created: time, size: 1 });
  });
});

describe('metadata of a model', () => {
  test.each([
    ['checkpoints?filename=sub/m.safetensors', '{"a":"b","n":"1"}'],
    ['loras?filename=inner/m.safetensors', '{"a":"b","n":"1"}'],
    ['loras?filename=proto.safetensors', '{"__proto__":"p","constructor":"c"}'],
  ])('%s', async (query, text) => {
    const answer = await get(`/view_metadata/${query}`);
    expect([answer.status, answer.text]).toEqual([200, text]);
  });

  test.each([
    'n.safetensors',
    'zz.safetensors',
    'readme.txt',
    '',
    'short.safetensors',
    'huge.safetensors',
    'over.safetensors',
    'list.safetensors',
    'text.safetensors',
    'junk.safetensors',
    'tiny.safetensors',
    'folder.safetensors',
    '../checkpoints/sub/m.safetensors',
    '..%2F..%2F..%2Foutside%2Fsecret.safetensors',
    '..%5C..%5Coutside%5Csecret.safetensors',
    '/etc/x.safetensors',
    'link.safetensors',
    'a%00.safetensors',
    '%252e%252e/x.safetensors',
  ])('none: %s', async (filename) => {
    const answer = await get(`/view_metadata/loras?filename=${filename}`);
    expect([answer.status, answer.text]).toEqual([404, '']);
  });

  test('none of an unknown folder, nor without a name', async () => {
    for (const path of [
      'zz?filename=n.safetensors',
      '__proto__?filename=n.safetensors',
      '..%2Floras?filename=n.safetensors',
      'loras',
    ])
      expect((await get(`/view_metadata/${path}`)).status).toBe(404);
  });
});

describe('the preview of a model', () => {
  const preview = (path: string) => get(`/experiment/models/preview/${path}`);

  test.each(['loras/0/n.safetensors', 'loras/0/cover.safetensors'])('%s', async (path) => {
    const answer = await preview(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'image/webp']);
    expect(await decodePixels(answer.bytes)).toMatchObject({ width: 4, height: 3 });
  });

  // 0.8 answers 500 to an index that is none; all others are 404 there as well.
  test.each([
    'checkpoints/0/sub/m.safetensors',
    'loras/1/n.safetensors',
    'loras/9/n.safetensors',
    'loras/-1/n.safetensors',
    'loras/x/n.safetensors',
    'loras/0x0/n.safetensors',
    'loras/0/svg.safetensors',
    'loras/0/link.safetensors',
    'zz/0/n.safetensors',
    '__proto__/0/n',
    // CVE-2026-56671.
    'loras/0/..%2F..%2F..%2Foutside%2Fsecret.png',
    'loras/0/../../../outside/secret.png',
    'loras/0/%2Fetc%2Fx.png',
    'loras/0/..%5C..%5Coutside%5Csecret.png',
    'loras/0/a%00.png',
    'loras/0/%252e%252e/x.png',
  ])('none: %s', async (path) => {
    const answer = await preview(path);
    expect([answer.status, answer.text]).toEqual([404, '']);
  });
});

test('folders of the front end', async () => {
  const paths = (await get('/internal/folder_paths')).json() as Record<string, string[]>;
  expect(paths['diffusion_models']).toEqual(
    [models, second].flatMap((root) => [join(root, 'unet'), join(root, 'diffusion_models')]),
  );
  expect((await get('/api/internal/folder_paths')).status).toBe(404);
});
