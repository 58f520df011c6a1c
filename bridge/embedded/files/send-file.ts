import { basename } from 'node:path';
import type { Response } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { readHead } from '../../local/read-file.ts';
import { contentDisposition, SNIFF_BYTES, sniffMediaType } from './content-type.ts';

/** Nothing in a user's file runs, should a browser open it as a page after all. */
const FILE_POLICY =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'";

/**
 * Sends a user's file, parts of it on request (Range), to be shown where it is a raster picture, a video or a sound by
 * its content, else to be downloaded. The name decides nothing, and no cache keeps it: names are used again.
 *
 * @param real a path that was held to its folder.
 * @param name what the browser shall call it.
 * @param type overrules the content, for what another route knows to be harmless.
 * @throws LineageError `file/missing` for what is no file
 */
export async function sendUserFile(
  response: Response,
  real: string,
  name = basename(real),
  type?: string,
): Promise<void> {
  const known = type ?? sniffMediaType(await readHead(real, SNIFF_BYTES));
  const headers = {
    'Content-Type': known ?? 'application/octet-stream',
    'Content-Disposition': contentDisposition(known === undefined ? 'attachment' : 'inline', name),
    'Content-Security-Policy': FILE_POLICY,
    'Cache-Control': 'no-store',
  };
  await new Promise<void>((resolve, reject) => {
    const options = { dotfiles: 'allow' as const, cacheControl: false, headers };
    response.sendFile(real, options, (error?: unknown) => {
      if (error === undefined || error === null) return resolve();
      const status = statusOf(error);
      if (response.headersSent || response.destroyed) {
        // The client went away, or the file was cut short under us: the connection must not look complete.
        response.destroy();
        resolve();
      } else if (status === 404) reject(new LineageError('file/missing', 'expected a file', { file: name }));
      else if (status !== undefined && status < 500) {
        // 416 for a range beyond the end; `send` has set Content-Range.
        response.removeHeader('Content-Disposition');
        response.status(status).end();
        resolve();
      } else reject(error);
    });
  });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
