import { Buffer } from 'node:buffer';
import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { ExactNumber, type Json, parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import type { Warning } from '../../../nodes/kit/warnings.ts';
import type { ApiError } from './api-error.ts';
import { coerceLiteral, MAX_INT_DIGITS } from './coerce.ts';
import { promptError } from './input-errors.ts';
import { isTruthy, PythonError, toPythonText } from './python-value.ts';

/** What a client posted to `/prompt`, or the answer that it gets. */
export type ParsedPrompt =
  | {
      readonly ok: true;
      /** For `validatePrompt`; not looked into but for its size and names. */
      readonly prompt: Json;
      /** Who hears of it; what else than a text is given as Python spells it. */
      readonly clientId?: string;
      readonly promptId?: string;
      /** An explicit priority. Without one the server's counter gives it, and advances, also when validation fails. */
      readonly number?: number;
      /** Minus the counter; means nothing beside a number. */
      readonly front: boolean;
      /** As sent, with `client_id` and without secrets. */
      readonly extraData: Readonly<Record<string, unknown>>;
      readonly secrets: Readonly<Record<string, unknown>>;
      readonly partialTargets?: readonly string[];
      /** NaN or Infinity, which JSON lacks and Python writes, were read as null. */
      readonly warnings: readonly Warning[];
    }
  | {
      readonly ok: false;
      readonly status: 400;
      readonly error: ApiError;
      /** ComfyUI's counter advances for this request. */
      readonly takesNumber: boolean;
    }
  | {
      readonly ok: false;
      /** 413 too many bytes; 500 what makes ComfyUI itself fail. Both are answered with plain text. */
      readonly status: 413 | 500;
      /** For the log. */
      readonly reason: string;
      readonly takesNumber: boolean;
    };

/** How much one prompt may ask for. Real ones are below a hundredth of each. */
export const PROMPT_LIMITS = {
  /** Memory while parsing is about ten times this. */
  bytes: 64 * 1024 * 1024,
  nodes: 100_000,
  /** Workflows nest about 20 deep, a few more for each subgraph; later steps recurse. */
  depth: 200,
  /** The longest list of a real document holds a workflow's links. */
  listLength: 1_000_000,
} as const;

/** See PROMPT_LIMITS. */
type Limits = Readonly<Record<keyof typeof PROMPT_LIMITS, number>>;

/** Names that plain objects have of their own: as a node id or an input they are an attack. */
const REFUSED_NAMES = new Set(['__proto__', 'constructor', 'prototype']);
/** @see ComfyUI 618b803d execution.py SENSITIVE_EXTRA_DATA_KEYS */
const SECRET_KEYS = new Set(['auth_token_comfy_org', 'api_key_comfy_org']);

/**
 * Reads the body of `POST /prompt`. What ComfyUI 0.8 does with odd bodies is done here too; beyond it, too large
 * documents and names out of an attack are refused as `invalid_prompt`.
 *
 * @see ComfyUI 618b803d server.py post_prompt
 */
export function parsePromptBody(text: string, limits: Limits = PROMPT_LIMITS): ParsedPrompt {
  if (Buffer.byteLength(text) > limits.bytes) {
    return { ok: false, status: 413, reason: `more than ${limits.bytes} bytes`, takesNumber: false };
  }
  const { warn, list: warnings } = createWarningLog();
  try {
    const body = parseExactJson(text, warn);
    checkSize(body, limits);
    return readBody(body, limits, warnings);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    if (isLineageError(error, 'graph/too-deep')) return tooLarge('nests too deep').answer;
    if (isLineageError(error, 'graph/malformed')) return failed(error.message).answer;
    throw error;
  }
}

/** An answer on its way up. */
class Refusal extends Error {
  readonly answer: ParsedPrompt;

  constructor(answer: ParsedPrompt) {
    super('refused');
    this.answer = answer;
  }
}

/** Where ComfyUI's own code raises. */
function failed(reason: string, takesNumber = false): Refusal {
  return new Refusal({ ok: false, status: 500, reason, takesNumber });
}

function refused(message: string, details: string, takesNumber = false): Refusal {
  return new Refusal({
    ok: false,
    status: 400,
    error: promptError('invalid_prompt', message, details),
    takesNumber,
  });
}

function tooLarge(details: string): Refusal {
  return refused('The prompt is larger than this server takes.', details);
}

/** Walks without recursion: the document may be as deep as it likes. */
function checkSize(body: Json, limits: Limits): void {
  const pending: [value: Json, depth: number][] = [[body, 1]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [value, depth] = next;
    if (value instanceof ExactNumber) checkDigits(value);
    else if (typeof value === 'object' && value !== null) {
      if (depth > limits.depth) throw tooLarge(`nests deeper than ${limits.depth}`);
      const inside = isJsonList(value) ? value : Object.values(value);
      if (inside.length > limits.listLength) throw tooLarge(`a list holds more than ${limits.listLength}`);
      for (const each of inside)
        if (typeof each === 'object' && each !== null) pending.push([each, depth + 1]);
    }
  }
}

/** Python's own limit, for its own reason: reading an int takes the square of its digits. */
function checkDigits(number: ExactNumber): void {
  if (number.text.length > MAX_INT_DIGITS && pythonTypeOf(number) === 'int') {
    throw failed(`an integer has more than ${MAX_INT_DIGITS} digits`);
  }
}

function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isJsonRecord(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return isRecord(value);
}

function readBody(body: Json, limits: Limits, warnings: readonly Warning[]): ParsedPrompt {
  if (!isJsonRecord(body)) throw notAnObject(body);
  const number = Object.hasOwn(body, 'number') ? readNumber(body['number'] ?? null) : undefined;
  const takesNumber = number === undefined;
  const prompt = Object.hasOwn(body, 'prompt') ? (body['prompt'] ?? null) : undefined;
  if (prompt === undefined) throw noPrompt(takesNumber);
  checkNames(prompt, limits.nodes, takesNumber);

  const sent = Object.hasOwn(body, 'extra_data') ? (body['extra_data'] ?? null) : {};
  if (!isJsonRecord(sent)) throw failed('extra_data is no object', takesNumber);
  const extra = Object.entries(sent);
  if (Object.hasOwn(body, 'client_id')) extra.push(['client_id', body['client_id'] ?? null]);
  const clientId = body['client_id'] ?? null;
  const targets = readTargets(body['partial_execution_targets'] ?? null, prompt, takesNumber);
  return {
    ok: true,
    prompt,
    ...(clientId !== null && { clientId: toPythonText(clientId) }),
    ...(Object.hasOwn(body, 'prompt_id') && { promptId: toPythonText(body['prompt_id'] ?? null) }),
    ...(number !== undefined && { number }),
    front: isTruthy(body['front'] ?? null),
    extraData: Object.fromEntries(extra.filter(([key]) => !SECRET_KEYS.has(key))),
    secrets: Object.fromEntries(extra.filter(([key]) => SECRET_KEYS.has(key))),
    ...(targets && { partialTargets: targets }),
    warnings,
  };
}

/** Python's `in` finds a word in a text or list too, and fails on what has none. */
function notAnObject(body: Json): Refusal {
  const holds = (word: string): boolean =>
    typeof body === 'string' ? body.includes(word) : isJsonList(body) && body.includes(word);
  const isSearchable = typeof body === 'string' || isJsonList(body);
  if (!isSearchable || holds('number')) return failed('the body is no object');
  return holds('prompt') ? failed('the body is no object', true) : noPrompt(true);
}

function noPrompt(takesNumber: boolean): Refusal {
  const message = 'No prompt provided';
  return new Refusal({
    ok: false,
    status: 400,
    error: promptError('no_prompt', message, message),
    takesNumber,
  });
}

/** Python's `float`; NaN and infinities, which would leave the queue without an order, are refused. */
function readNumber(value: Json): number {
  let number: number;
  try {
    number = Number(coerceLiteral('FLOAT', value));
  } catch (error) {
    throw error instanceof PythonError ? failed(error.message) : error;
  }
  if (!Number.isFinite(number)) throw refused('The number of a prompt must be finite.', toPythonText(value));
  return number;
}

function checkNames(prompt: Json, maxNodes: number, takesNumber: boolean): void {
  if (!isJsonRecord(prompt)) return;
  const ids = Object.keys(prompt);
  if (ids.length > maxNodes) throw tooLarge(`more than ${maxNodes} nodes`);
  for (const id of ids) {
    const node = prompt[id];
    const inputs = isJsonRecord(node) ? node['inputs'] : undefined;
    const names = isJsonRecord(inputs) ? Object.keys(inputs) : [];
    const refusedName = [id, ...names].find((name) => REFUSED_NAMES.has(name));
    if (refusedName !== undefined) {
      throw refused(`The name ${refusedName} is not allowed.`, `Node ID '#${id}'`, takesNumber);
    }
  }
}

/** ComfyUI asks `id in targets`: of a list or the keys of an object, and within a text. */
function readTargets(targets: Json, prompt: Json, takesNumber: boolean): readonly string[] | undefined {
  if (targets === null) return undefined;
  if (isJsonList(targets)) return targets.filter((id) => typeof id === 'string');
  if (isJsonRecord(targets)) return Object.keys(targets);
  if (typeof targets !== 'string') throw failed('partial_execution_targets is no list', takesNumber);
  return isJsonRecord(prompt) ? Object.keys(prompt).filter((id) => targets.includes(id)) : [];
}
