import { extname } from 'node:path';
import { Router } from 'express';
import { reencodeImage } from '../../../nodes/formats/pixels.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import type { ModelFolders } from '../../local/model-folders.ts';
import { readSafetensorsMetadata } from '../../local/safetensors-header.ts';
import { checkPicture, readPicture, takeDecodeTurn } from '../files/read-picture.ts';
import { answering, pathText, ROUTING, sendNothing } from '../http/answer.ts';

/** Pictures are called as the model, or so with `.preview`, and lie beside it. */
const PREVIEW_ENDINGS = ['.png', '.jpg', '.jpeg', '.webp', '.avif', '.gif'];
/** A header that holds pictures is long; beyond this none is looked for, as in ComfyUI. */
const HEADER_BYTES_MAX = 8 * 1024 * 1024;
/** Pillow's for WebP, which ComfyUI does not change. */
const QUALITY = 80;

/**
 * `GET /experiment/models` gives the folders with their paths, `…/{folder}` the files of one with sizes and times, and
 * `…/preview/{folder}/{path index}/{file}` the picture that belongs to a model, as WebP.
 * @see ComfyUI 618b803d app/model_manager.py
 */
export function experimentModelsRoutes(models: ModelFolders): Router {
  const router = Router(ROUTING);
  router.get('/experiment/models', (_request, response) => {
    const shown = models.names.filter((name) => name !== 'configs');
    response.json(shown.map((name) => ({ name, folders: models.pathsOf(name) ?? [] })));
  });
  router.get(
    '/experiment/models/:folder',
    answering(async (request, response) => {
      const folder = pathText(request, 'folder');
      if (models.pathsOf(folder) === undefined) return sendNothing(response, 404);
      response.json(await models.list(folder));
    }),
  );
  router.get(
    '/experiment/models/preview/:folder/:index/*file',
    answering(async (request, response) => {
      const index = pathText(request, 'index');
      const file = pathText(request, 'file');
      const preview = /^\d{1,4}$/.test(index)
        ? await findPreview(models, pathText(request, 'folder'), file, Number(index))
        : undefined;
      if (!preview) return sendNothing(response, 404);
      response.type('image/webp').send(Buffer.from(preview));
    }),
  );
  return router;
}

/** The first picture that can be read; what cannot be is as good as none. */
async function findPreview(
  models: ModelFolders,
  folder: string,
  file: string,
  index: number,
): Promise<Uint8Array | undefined> {
  const base = file.slice(0, file.length - extname(file).length);
  for (const ending of PREVIEW_ENDINGS.flatMap((each) => [each, `.preview${each}`])) {
    const real = await models.find(folder, base + ending, index);
    const preview = real && (await toPreview(() => readPicture(real)));
    if (preview) return preview;
  }
  const model = await models.find(folder, `${base}.safetensors`, index);
  for (const cover of model ? await readCovers(model) : []) {
    const preview = await toPreview(async () => {
      await checkPicture(cover);
      return cover;
    });
    if (preview) return preview;
  }
  return undefined;
}

async function toPreview(read: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await takeDecodeTurn(async () =>
      reencodeImage(await read(), { format: 'webp', quality: QUALITY }),
    );
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}

/** Pictures in a model's own header: `ssmd_cover_images`, JSON of base64 texts. */
async function readCovers(model: string): Promise<readonly Uint8Array[]> {
  const metadata = await readSafetensorsMetadata(model, HEADER_BYTES_MAX);
  const text = metadata?.['ssmd_cover_images'];
  if (typeof text !== 'string') return [];
  const covers = parse(text);
  if (!Array.isArray(covers)) return [];
  return covers.flatMap((cover) => (typeof cover === 'string' ? [Buffer.from(cover, 'base64')] : []));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
