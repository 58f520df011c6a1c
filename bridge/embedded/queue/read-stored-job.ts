import type { ApiNode, ApiPrompt } from '../../../nodes/kit/api-prompt.ts';
import { parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { Job } from '../job.ts';

/** A job as the store keeps it: JSON texts. */
export type StoredJob = {
  readonly number: number;
  readonly promptId: string;
  readonly prompt: string;
  readonly extraData: string;
  readonly outputs: string;
};

/**
 * Reads a stored job again, with the spelling of its numbers.
 * @throws LineageError `graph/malformed` where the text is not what was stored
 */
export function readStoredJob({ number, promptId, prompt, extraData, outputs }: StoredJob): Job {
  const data = parse(extraData);
  const extra = isRecord(data) ? data : {};
  const clientId = extra['client_id'];
  const list = parse(outputs);
  return {
    number,
    promptId,
    prompt: readPrompt(parse(prompt)),
    extraData: extra,
    outputs: Array.isArray(list) ? list.filter((id) => typeof id === 'string') : [],
    ...(clientId !== undefined && clientId !== null && { clientId: String(clientId) }),
  };
}

/** The store holds JSON without NaN, so there is nothing to warn of. */
function parse(text: string): unknown {
  return parseExactJson(text, () => undefined);
}

/** Validation looked at every node's class, but not at the inputs of nodes that no output reaches. */
function readPrompt(value: unknown): ApiPrompt {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([id, node]) => [
      id,
      isApiNode(node) ? node : { ...emptyNode(node), inputs: {} },
    ]),
  );
}

function isApiNode(value: unknown): value is ApiNode {
  return isRecord(value) && typeof value['class_type'] === 'string' && isRecord(value['inputs']);
}

function emptyNode(value: unknown): { readonly class_type: string } {
  const node = isRecord(value) ? value : {};
  return { ...node, class_type: typeof node['class_type'] === 'string' ? node['class_type'] : '' };
}
