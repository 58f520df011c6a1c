import { type ErrorCode, isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import { readEmbeddedGraphs } from './embedded-graphs.ts';
import { type PictureStory, receiptOf, storyOf } from './picture-story.ts';

/** What the browser asks, without the host's own prefix (`/lineage`, `/api/lineage`). */
export type PanelRequest = {
  readonly method: 'GET' | 'POST';
  /** Behind the prefix, decoded: `/receipt`. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Empty for GET. Not modified, not retained. */
  readonly body: Uint8Array;
};

/** A file in one of ComfyUI's folders, as its clients name it; untrusted. */
export type SavedName = {
  readonly filename: string;
  /** With `/`; '' is the folder itself. */
  readonly subfolder: string;
  readonly type: 'output' | 'input' | 'temp';
};

/** What the host lends to the panel. */
export type PanelReach = {
  /**
   * The whole file, or undefined where there is none. Whoever implements it keeps names inside the folder, links
   * resolved, and bounds the size.
   */
  readSaved(name: SavedName): Promise<Uint8Array | undefined>;
  /** The owner's own rules. */
  readonly rules?: RuleFiles;
};

/** What goes back to the browser. */
export type PanelAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
};

/** What ComfyUI takes in one upload (`--max-upload-size`, 100 MB). */
export const MAX_POSTED_BYTES = 100 * 1024 * 1024;

/** Expected failures that are not the picture's fault (422). */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  'panel/bad-request': 400,
  'panel/unknown-route': 404,
  'file/missing': 404,
  'path/outside': 403,
  'path/unsafe': 400,
  'panel/too-large': 413,
  'image/unknown-format': 415,
};

/**
 * Answers one request of our part of the front end; both hosts hand theirs to it.
 *
 * - `GET /receipt?filename&subfolder&type`: what each reader sees of a saved file.
 * - `GET /fields?filename&subfolder&type&node`: each field with the nodes it came along; `node` is the saving node,
 *   for pictures without a record of ours whose graph has several.
 * - `POST /workflow`, the bytes of a picture: the workflow and prompt graph that it embeds.
 *
 * Expected failures are answers, `{error: {code, message, hint}}`; what else is thrown is a bug and left to the host.
 */
export async function answerPanel(request: PanelRequest, reach: PanelReach): Promise<PanelAnswer> {
  try {
    return toAnswer(200, await dispatch(request, reach));
  } catch (error) {
    if (!isLineageError(error)) throw error;
    const { code, message, hint } = error;
    return toAnswer(STATUS[code] ?? 422, { error: { code, message, hint } });
  }
}

async function dispatch(request: PanelRequest, reach: PanelReach): Promise<object> {
  switch (`${request.method} ${request.path}`) {
    case 'GET /receipt':
      return receiptOf(await readNamed(request, reach));
    case 'GET /fields':
      return await fieldsOf(request, reach);
    case 'POST /workflow':
      return workflowIn(request.body);
    default:
      throw new LineageError(
        'panel/unknown-route',
        `expected GET /receipt, GET /fields or POST /workflow, got ${request.method} ${request.path.slice(0, 100)}`,
      );
  }
}

async function fieldsOf(request: PanelRequest, reach: PanelReach): Promise<PictureStory> {
  return await storyOf(await readNamed(request, reach), request.query.get('node'), reach.rules);
}

function workflowIn(body: Uint8Array): object {
  if (body.byteLength > MAX_POSTED_BYTES)
    throw new LineageError(
      'panel/too-large',
      `expected at most ${MAX_POSTED_BYTES} bytes, got ${body.byteLength}`,
    );
  return readEmbeddedGraphs(body);
}

async function readNamed({ query }: PanelRequest, reach: PanelReach): Promise<Uint8Array> {
  const filename = query.get('filename') ?? '';
  const subfolder = query.get('subfolder') ?? '';
  const type = query.get('type') ?? 'output';
  if (filename === '' || `${filename}${subfolder}`.includes('\0'))
    throw new LineageError('panel/bad-request', 'expected the name of a file, got none', {
      option: 'filename',
    });
  if (type !== 'output' && type !== 'input' && type !== 'temp')
    throw new LineageError('panel/bad-request', `expected output, input or temp, got ${type.slice(0, 40)}`, {
      option: 'type',
    });
  const bytes = await reach.readSaved({ filename, subfolder, type });
  if (bytes) return bytes;
  throw new LineageError('file/missing', `expected a file in the ${type} folder, got none of this name`, {
    file: filename,
  });
}

/** JSON that keeps 64-bit seeds as they are spelled: exact numbers write themselves. */
function toAnswer(status: number, value: object): PanelAnswer {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}
