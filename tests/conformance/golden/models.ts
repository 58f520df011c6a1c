import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import { each } from './answers.ts';
import type { Stage } from './stage.ts';

/** An empty safetensors file: a length of 8 bytes, little-endian, and a header. */
function safetensors(header: object): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** A black dot. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==',
  'base64',
);

/** Lays the files out that the script asks for. To be called before the server starts. */
export function layModels(folder: string): void {
  const files: Readonly<Record<string, Buffer>> = {
    'loras/said.safetensors': safetensors({ __metadata__: { 'modelspec.title': 'Said', ss_steps: '1' } }),
    'loras/silent.safetensors': safetensors({}),
    'loras/sub/deep.safetensors': safetensors({}),
    'loras/broken.safetensors': Buffer.from('no header'),
    'loras/pictured.safetensors': safetensors({}),
    'loras/pictured.png': PICTURE,
    'loras/note.txt': Buffer.from('no model'),
    'embeddings/word.pt': Buffer.from('x'),
    'embeddings/sub/words.safetensors': safetensors({}),
  };
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

const words = (body: Json): Json => (Array.isArray(body) ? body.map(String).sort() : body);

/** Model folders and files. */
export async function playModels(stage: Stage): Promise<void> {
  await stage.http('GET /models', 'GET', '/models', { reduce: words });
  await stage.http('GET /models/{folder}: files', 'GET', '/models/loras', { reduce: words });
  await stage.http('GET /models/{folder}: empty', 'GET', '/models/checkpoints');
  await stage.http('GET /models/{folder}: unknown', 'GET', '/models/unknown');
  await stage.http('GET /models/{folder}: a word of the language', 'GET', '/models/__proto__');
  await stage.http('GET /embeddings', 'GET', '/embeddings', { reduce: words });
  await stage.http('GET /experiment/models', 'GET', '/experiment/models', {
    reduce: (body) =>
      Array.isArray(body)
        ? each(body.map((one) => ({ ...(one as object), name: 'any', folders: [''] })))
        : body,
  });
  await stage.http('GET /experiment/models/{folder}: files', 'GET', '/experiment/models/loras', {
    reduce: (body) =>
      each(Array.isArray(body) ? body.map((one) => ({ ...(one as object), name: 'any' })) : body),
  });
  await stage.http('GET /experiment/models/{folder}: unknown', 'GET', '/experiment/models/unknown');
  const PREVIEWS: Readonly<Record<string, string>> = {
    'of a file without one': 'loras/0/said.safetensors',
    'of a file with one': 'loras/0/pictured.safetensors',
    'of an absent file': 'loras/0/absent.safetensors',
    'of a file outside': 'loras/0/%2e%2e/%2e%2e/input/a.safetensors',
    'with a word for a folder': 'loras/x/said.safetensors',
    'in an unknown folder': 'unknown/0/said.safetensors',
    'in a folder that is not there': 'loras/99/said.safetensors',
  };
  for (const [name, path] of Object.entries(PREVIEWS)) {
    await stage.http(`GET /experiment/models/preview: ${name}`, 'GET', `/experiment/models/preview/${path}`);
  }
  const METADATA: Readonly<Record<string, string>> = {
    said: 'loras?filename=said.safetensors',
    'not said': 'loras?filename=silent.safetensors',
    'of a broken file': 'loras?filename=broken.safetensors',
    'of another kind of file': 'embeddings?filename=word.pt',
    'of an absent file': 'loras?filename=absent.safetensors',
    'of a file outside': 'loras?filename=../../a.safetensors',
    'in an unknown folder': 'unknown?filename=said.safetensors',
    'without a name': 'loras',
  };
  for (const [name, path] of Object.entries(METADATA)) {
    await stage.http(`GET /view_metadata: ${name}`, 'GET', `/view_metadata/${path}`);
  }
}
