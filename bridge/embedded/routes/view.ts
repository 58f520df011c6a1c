import { type Response, Router } from 'express';
import { joinAlpha, reencodeImage } from '../../../nodes/formats/pixels.ts';
import { findClientFile } from '../files/client-file.ts';
import { contentDisposition } from '../files/content-type.ts';
import { readPicture, takeDecodeTurn } from '../files/read-picture.ts';
import { sendUserFile } from '../files/send-file.ts';
import type { RuntimeFolders } from '../folders.ts';
import { answering, queryText, ROUTING, sendNothing } from '../http/answer.ts';

/** What a preview asks for: `webp;90`, `jpeg;80`, or a format alone. */
type Preview = { readonly format: 'webp' | 'jpeg'; readonly quality: number };

/**
 * `GET /view`: a file of the input, output or temp folder, or a picture of it in another form: `preview=webp;90`
 * encodes it anew (its size stays), `channel=rgb` leaves the alpha out, `channel=a` gives the alpha alone.
 * @see ComfyUI 618b803d server.py view_image
 */
export function viewRoute(folders: RuntimeFolders): Router {
  const router = Router(ROUTING);
  router.get(
    '/view',
    answering(async (request, response) => {
      const filename = queryText(request, 'filename');
      if (filename === undefined) return sendNothing(response, 404);
      const type = queryText(request, 'type');
      const subfolder = queryText(request, 'subfolder');
      const file = {
        filename,
        ...(type !== undefined && { type }),
        ...(subfolder !== undefined && { subfolder }),
      };
      const { real, name } = await findClientFile(folders, file);

      const channel = queryText(request, 'channel') ?? '';
      const wanted = queryText(request, 'preview');
      if (wanted !== undefined) {
        const preview = parsePreview(wanted, channel);
        const dropAlpha = preview.format === 'jpeg' || channel === 'rgb';
        const bytes = await decode(real, (picture) => reencodeImage(picture, { ...preview, dropAlpha }));
        return sendPicture(response, bytes, `image/${preview.format}`, name);
      }
      if (channel === 'rgb' || channel === 'a') {
        const bytes = await decode(real, (picture) =>
          channel === 'a'
            ? joinAlpha('black', picture)
            : reencodeImage(picture, { format: 'png', quality: 100, dropAlpha: true }),
        );
        return sendPicture(response, bytes, 'image/png', name);
      }
      await sendUserFile(response, real, name);
    }),
  );
  return router;
}

function decode(real: string, work: (picture: Uint8Array) => Promise<Uint8Array>): Promise<Uint8Array> {
  return takeDecodeTurn(async () => await work(await readPicture(real)));
}

/** JPEG holds no alpha, so a channel that asks for it gets WebP; and so does every other format than the two. */
function parsePreview(text: string, channel: string): Preview {
  const parts = text.split(';');
  const last = parts.at(-1) ?? '';
  const quality = /^\d{1,9}$/.test(last) ? Math.min(100, Math.max(1, Number(last))) : 90;
  return { format: parts[0] === 'jpeg' && !channel.includes('a') ? 'jpeg' : 'webp', quality };
}

function sendPicture(response: Response, bytes: Uint8Array, type: string, name: string): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Disposition', contentDisposition('inline', name));
  response.setHeader('Cache-Control', 'no-store');
  response.status(200).end(bytes);
}
