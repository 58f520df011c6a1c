import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { type Request, type Response, Router } from 'express';
import multer, { diskStorage, MulterError } from 'multer';
import { readContainer, spliceContainer } from '../../../nodes/formats/container.ts';
import { detectImageFormat } from '../../../nodes/formats/detect.ts';
import { joinAlpha } from '../../../nodes/formats/pixels.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { isClientFolder } from '../../local/annotated-name.ts';
import { splitPlainPath } from '../../local/plain-path.ts';
import { removeIfThere, TEMPORARY_PREFIX } from '../../local/write-file.ts';
import { type ClientFile, findClientFile } from '../files/client-file.ts';
import { placeUpload, sourceOfBytes, sourceOfFile, type UploadSource } from '../files/place-upload.ts';
import { readPicture, takeDecodeTurn } from '../files/read-picture.ts';
import { cleanUploadName } from '../files/upload-name.ts';
import type { RuntimeFolders } from '../folders.ts';
import { answering, ROUTING } from '../http/answer.ts';

type UploadOptions = {
  readonly folders: RuntimeFolders;
  /** The longest request that is read, in bytes. */
  readonly maxUploadBytes: number;
};

/** An upload as it was received; its file is removed when the request is answered. */
type Received = { readonly file: Express.Multer.File; field(name: string): string | undefined };

/** A form of a front end has six fields, the longest a reference of some hundred characters. */
const FORM_LIMITS = {
  fields: 32,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
  files: 4,
  parts: 40,
  headerPairs: 32,
};

/**
 * `POST /upload/image` and `POST /upload/mask`: files into the input folder (or output, or temp), under the name that
 * they bring as far as it is one. A mask is not kept as it is: its alpha channel is laid over the picture
 * that `original_ref` names, as a PNG with that picture's texts.
 *
 * Traversal and missing parts are 400, and nothing is written then; what is too long is 413.
 * @see ComfyUI 618b803d server.py upload_image, upload_mask
 */
export function uploadRoutes(options: UploadOptions): Router {
  const router = Router(ROUTING);
  const toFileSource = async ({ file }: Received): Promise<UploadSource> =>
    sourceOfFile(file.path, file.size);
  router.post('/upload/image', uploadHandler(options, toFileSource));
  router.post(
    '/upload/mask',
    uploadHandler(options, async ({ file, field }) => {
      const original = parseReference(field('original_ref'));
      if (!file.originalname.toLowerCase().endsWith('.png'))
        throw new LineageError('request/malformed', 'expected the name of a PNG file');
      const { real } = await findClientFile(options.folders, original);
      return sourceOfBytes(await takeDecodeTurn(() => layMask(real, file.path)));
    }),
  );
  return router;
}

function uploadHandler(options: UploadOptions, toSource: (received: Received) => Promise<UploadSource>) {
  return answering(
    async (request, response) => {
      const files = await receive(request, response, options);
      let placed: unknown;
      try {
        placed = await place(options.folders, files[0], request.body, toSource);
      } finally {
        for (const { path } of files) await removeIfThere(path);
      }
      response.json(placed);
    },
    { 'path/outside': 400 },
  );
}

async function place(
  folders: RuntimeFolders,
  file: Express.Multer.File | undefined,
  fields: unknown,
  toSource: (received: Received) => Promise<UploadSource>,
): Promise<unknown> {
  const field = (name: string): string | undefined => textOf(fields, name);
  const name = file && cleanUploadName(file.originalname);
  const type = field('type') ?? 'input';
  if (!file || name === undefined || !isClientFolder(type))
    throw new LineageError('request/malformed', 'expected a file with a name, and a known type');
  const subfolder = field('subfolder') ?? '';
  const plain = splitPlainPath(subfolder).join('/');
  const source = await toSource({ file, field });
  const overwrite = field('overwrite') === 'true' || field('overwrite') === '1';
  return { name: await placeUpload(folders[type], plain, name, source, overwrite), subfolder, type };
}

/** Takes the form apart; files go to the folder for temporary ones as they come, never whole into memory. */
async function receive(
  request: Request,
  response: Response,
  { folders, maxUploadBytes }: UploadOptions,
): Promise<readonly Express.Multer.File[]> {
  if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) {
    const got = request.headers['content-length'];
    throw new LineageError('request/too-large', `expected at most ${maxUploadBytes} bytes, got ${got}`);
  }
  await mkdir(folders.temp, { recursive: true });
  const form = multer({
    storage: diskStorage({
      destination: folders.temp,
      filename: (_request, _file, done) => done(null, TEMPORARY_PREFIX + randomUUID()),
    }),
    limits: { ...FORM_LIMITS, fileSize: maxUploadBytes },
    fileFilter: (_request, file, done) => done(null, file.fieldname === 'image'),
    // A path in a name is an attack and must be seen, not cut down to something harmless.
    preservePath: true,
    defParamCharset: 'utf8',
  }).any();
  await new Promise<void>((resolve, reject) => {
    form(request, response, (error?: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(formError(error, maxUploadBytes));
    });
  });
  return Array.isArray(request.files) ? request.files : [];
}

/** Multer gives its own errors for limits, and plain ones of its parser for a form that is none. */
function formError(error: unknown, maxUploadBytes: number): unknown {
  if (error instanceof MulterError) {
    return error.code === 'LIMIT_FILE_SIZE'
      ? new LineageError('request/too-large', `expected at most ${maxUploadBytes} bytes, got more`)
      : new LineageError('request/malformed', `expected a form of an upload, got: ${error.message}`);
  }
  // A failing disk has a code; the parser's complaints about the form have none.
  if (!(error instanceof Error) || 'code' in error) return error;
  return new LineageError(
    'request/malformed',
    `expected a form, got: ${error.message}`,
    {},
    { cause: error },
  );
}

function textOf(fields: unknown, name: string): string | undefined {
  if (!isRecord(fields) || !Object.hasOwn(fields, name)) return undefined;
  const value = fields[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

function parseReference(text: string | undefined): ClientFile {
  const reference = parseExactJson(text ?? '', () => undefined);
  if (!isRecord(reference) || typeof reference['filename'] !== 'string')
    throw new LineageError('request/malformed', 'expected original_ref with a filename');
  const { filename, type = 'output', subfolder = '' } = reference;
  if (typeof filename !== 'string' || typeof type !== 'string' || typeof subfolder !== 'string')
    throw new LineageError('request/malformed', 'expected texts in original_ref');
  return { filename, type, subfolder };
}

/** The original with the mask's alpha. Its texts stay, so that the picture still tells how it was made. */
async function layMask(original: string, mask: string): Promise<Uint8Array> {
  const bytes = await readPicture(original);
  const masked = await joinAlpha(bytes, await readPicture(mask));
  if (detectImageFormat(bytes) !== 'png') return masked;
  const texts = new Map(readContainer(bytes).texts.map(({ keyword, text }) => [keyword, text]));
  return spliceContainer(masked, { texts });
}
