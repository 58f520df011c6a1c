import { z } from 'zod';
import type { CheckpointPart } from '../../nodes/kit/checkpoint-part.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { settingsSchema } from './settings.ts';

/**
 * What the two sides say to each other: JSON texts over one WebSocket. Pixels and other bytes are named here and lie
 * in the exchange folders (`exchange.ts`). The other end is connection.py, with execute.py and routes.py; PROTOCOL is
 * raised with every change.
 */

/** The version of this language. */
export const PROTOCOL = 3;

/** A prompt graph of thousands of nodes with its workflow takes a few MiB; no client can make us hold more than this. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A file in one of the exchange folders: the folder's number and a random name, never a path. */
const fileSchema = z.strictObject({
  place: z.int().min(0).max(1),
  name: z.string().regex(/^[0-9a-f]{32}$/),
});

/** A value on its way. A handle stands for an object that never leaves Python. */
const inputSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pixels'), file: fileSchema }),
  z.strictObject({ kind: z.literal('json'), value: z.unknown() }),
  /** What JSON cannot spell. */
  z.strictObject({ kind: z.literal('float'), text: z.enum(['nan', 'inf', '-inf']) }),
  z.strictObject({ kind: z.literal('handle'), id: z.int().min(0), type: z.string() }),
]);

/** Calls are numbered by Python. */
const callId = z.int().min(1);
/** JSON in JSON: read only by who wants it, with every number as it was spelled. */
const jsonText = z.string();
/** The number of a text that was kept before. */
const textId = z.int().min(1);

const fromPythonSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('hello'),
    protocol: z.int(),
    version: z.string(),
    settings: settingsSchema,
  }),
  z.strictObject({ kind: z.literal('settings'), settings: settingsSchema }),
  z.strictObject({
    kind: z.literal('run'),
    id: callId,
    /** Class type. */
    node: z.string(),
    /** Within the prompt; `57:8` inside a subgraph. */
    nodeId: z.string(),
    inputs: z.array(z.tuple([z.string(), inputSchema])),
    prompt: textId,
    extraPnginfo: textId,
    /** `[node id, slot, value]` of what has run already: texts, numbers and booleans. */
    executed: jsonText,
    /** What `GET /object_info` says of every class, for a node that asks for it. */
    classes: jsonText.optional(),
  }),
  /** A graph, JSON in JSON: every node of it is run with it, so it comes once. */
  z.strictObject({ kind: z.literal('keep'), text: textId, content: jsonText }),
  z.strictObject({ kind: z.literal('forget'), text: textId }),
  z.strictObject({ kind: z.literal('cancel'), id: callId }),
  /** Python has what lay in this file of ours. */
  z.strictObject({ kind: z.literal('taken'), name: z.string() }),
  z.strictObject({
    kind: z.literal('panel'),
    id: callId,
    method: z.enum(['GET', 'POST']),
    path: z.string(),
    query: z.array(z.tuple([z.string(), z.string()])),
    body: fileSchema.nullable(),
  }),
]);

export type ExchangeFile = z.infer<typeof fileSchema>;
export type WireInput = z.infer<typeof inputSchema>;
export type FromPython = z.infer<typeof fromPythonSchema>;
export type RunMessage = Extract<FromPython, { kind: 'run' }>;
export type PanelMessage = Extract<FromPython, { kind: 'panel' }>;

/** `same`: what came in by this name goes out as it is, without a copy. */
export type WireOutput =
  | WireInput
  | { readonly kind: 'same'; readonly input: string }
  /** A part of a checkpoint in one of the machine's folders, for ComfyUI's own loader. */
  | { readonly kind: 'checkpoint'; readonly part: CheckpointPart['part']; readonly file: string };

/** What a failure looks like on the node. */
export type WireFailure = {
  /** Of `ERRORS`, or `bug`, or `interrupted`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly where: Readonly<Record<string, string | number | undefined>>;
  /** For the log. */
  readonly stack: string;
};

export type ToPython =
  | {
      readonly kind: 'welcome';
      readonly protocol: number;
      readonly version: string;
      readonly node: string;
    }
  | { readonly kind: 'taken'; readonly name: string }
  | {
      readonly kind: 'progress';
      readonly id: number;
      readonly value: number;
      readonly total: number;
      readonly preview: ExchangeFile | null;
    }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
    }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly outputs: readonly WireOutput[];
      readonly ui: Readonly<Record<string, readonly unknown[]>> | null;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireFailure }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly status: number;
      readonly contentType: string;
      readonly body: ExchangeFile | null;
    };

/**
 * Reads one message; numbers that a double would change stay as they were spelled.
 * @throws LineageError `bridge/protocol`, `graph/malformed`, `graph/too-deep`
 */
export function parseMessage(text: string): FromPython {
  const read = fromPythonSchema.safeParse(parseExactJson(text, () => {}));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const what = issue ? `${issue.path.join('.')}: ${issue.message}` : 'something else';
  throw new LineageError('bridge/protocol', `expected a message of protocol ${PROTOCOL}, got ${what}`);
}
