import { randomUUID } from 'node:crypto';
import { type Request, Router } from 'express';
import { LineageError } from '../../../nodes/kit/errors.ts';
import type { InputFiles } from '../../../nodes/kit/graph-node.ts';
import { createSlices } from '../execution/event-loop.ts';
import { ROUTING } from '../http/answer.ts';
import { limitBytes } from '../http/json-body.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import { isPromptId } from '../queue/is-prompt-id.ts';
import { toJsonText } from '../queue/json-text.ts';
import type { PromptQueue } from '../queue/prompt-queue.ts';
import type { ServerLog } from '../server-log.ts';
import type { ApiError, NodeErrors } from '../validation/api-error.ts';
import { type ParsedPrompt, PROMPT_LIMITS, parsePromptBody } from '../validation/parse-prompt.ts';
import type { ErrorStyle } from '../validation/read-class.ts';
import { validatePrompt } from '../validation/validate-prompt.ts';
import { answerJson, refuseMethod } from './json-answer.ts';

/** What `/prompt` works on. */
type PromptRoutes = {
  readonly nodes: NodeTable;
  readonly queue: PromptQueue;
  /** Called when a prompt was queued, after its answer went out. */
  readonly queued: () => void;
  /** Where validators look for pictures. */
  readonly files: InputFiles;
  /** How an unknown class is reported. */
  readonly errorStyle: ErrorStyle;
  /** Refuses prompt ids that are no UUID, as ComfyUI does since 0.26. */
  readonly checkIds: boolean;
  readonly log: ServerLog['log'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** Beyond it a client is refused; real queues hold a few hundred. */
const MAX_QUEUE = 100_000;
/** Ids are keys of messages and of the history. */
const MAX_ID_CHARACTERS = 256;

/** Strict, as ComfyUI reads a body: text that was garbled on its way must not run as something else. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `GET` and `POST /prompt`. */
export function promptRoutes(options: PromptRoutes): Router {
  const { nodes, queue, queued, files, errorStyle, log, now } = options;
  const router = Router(ROUTING);
  /** Gives each prompt its place; it advances with refused prompts too, but not with those that bring a number. */
  let counter = 0;

  router
    .route('/prompt')
    .get((_request, response) => {
      answerJson(response, JSON.stringify({ exec_info: { queue_remaining: queue.remaining() } }));
    })
    .post(async (request, response) => {
      log('info', 'got prompt');
      const refuse = (status: number, error: ApiError, nodeErrors: NodeErrors = {}): void => {
        log('warn', `invalid prompt: ${toJsonText(error)}`);
        answerJson(response, toJsonText({ error, node_errors: nodeErrors }), status);
      };
      const bytes = await readBytes(request);
      const slices = createSlices();
      const body = readPrompt(bytes);
      const place = counter;
      if (body.ok ? body.number === undefined : body.takesNumber) counter++;
      if (!body.ok) {
        if (body.status === 400) return refuse(400, body.error);
        throw failure(body);
      }
      for (const { message } of body.warnings) log('warn', message);
      const promptId = body.promptId ?? randomUUID();
      const fault = idFault(promptId, options.checkIds);
      if (fault) return refuse(400, fault);
      if (queue.remaining() >= MAX_QUEUE) return refuse(503, QUEUE_FULL);

      // Of thousands of nodes, reading, checking and storing take tens of milliseconds each.
      if (slices.isOver()) await slices.next();
      const { prompt, partialTargets: targets } = body;
      const verdict = await validatePrompt({ prompt, nodes, files, errorStyle, ...(targets && { targets }) });
      if (!verdict.ok) return refuse(400, verdict.error, verdict.nodeErrors);
      if (slices.isOver()) await slices.next();
      const number = body.number ?? (body.front ? -place : place);
      queue.put({
        number,
        promptId,
        prompt: verdict.prompt,
        extraData: { ...body.extraData, create_time: now() },
        outputs: verdict.outputs,
        ...(body.clientId !== undefined && { clientId: body.clientId }),
      });
      const answer = { prompt_id: promptId, number, node_errors: verdict.nodeErrors };
      answerJson(response, toJsonText(answer));
      queued();
    })
    .all(refuseMethod('GET', 'HEAD', 'POST'));
  return router;
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of limitBytes(request, PROMPT_LIMITS.bytes)) parts.push(part);
  return Buffer.concat(parts);
}

function readPrompt(bytes: Uint8Array): ParsedPrompt {
  try {
    return parsePromptBody(UTF8.decode(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, status: 500, reason: 'expected UTF-8, got other bytes', takesNumber: false };
  }
}

function failure({ status, reason }: { readonly status: 413 | 500; readonly reason: string }): LineageError {
  return new LineageError(status === 413 ? 'request/too-large' : 'request/malformed', reason);
}

function idFault(promptId: string, checkIds: boolean): ApiError | undefined {
  const isFit = checkIds ? isPromptId(promptId) : promptId.length <= MAX_ID_CHARACTERS;
  if (isFit) return undefined;
  const details = checkIds
    ? 'expected a UUID in lower case with hyphens, or no prompt_id'
    : `expected at most ${MAX_ID_CHARACTERS} characters`;
  return {
    type: 'invalid_prompt_id',
    message: 'prompt_id must be a valid UUID',
    details,
    extra_info: {},
  };
}

const QUEUE_FULL: ApiError = {
  type: 'queue_full',
  message: 'The queue is full',
  details: `${MAX_QUEUE} prompts wait already`,
  extra_info: {},
};
