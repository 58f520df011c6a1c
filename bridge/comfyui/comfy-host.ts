import { ExactNumber, parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { Host } from '../../nodes/kit/host.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import type { KeptText } from './kept-texts.ts';
import type { Machine } from './machine.ts';
import type { RunMessage } from './messages.ts';

/** What a run is lent beside the machine. */
export type HostParts = {
  readonly prompt: KeptText;
  readonly extraPnginfo: KeptText;
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly log: Host['log'];
  readonly progress: (value: number, total: number, preview: Pixels | undefined) => void;
};

/** The `Host` of one run inside ComfyUI. The graphs are parsed when a node first looks at them. */
export function createComfyHost(run: RunMessage, parts: HostParts): Host {
  const { machine, signal, log, progress } = parts;
  const executed = once(() => readExecuted(run.executed));
  return {
    get prompt() {
      return parts.prompt.parse();
    },
    get extraPnginfo() {
      const sent = parts.extraPnginfo.parse();
      return isRecord(sent) ? sent : {};
    },
    nodeId: run.nodeId,
    signal,
    disableMetadata: machine.disableMetadata,
    owner: machine.owner,
    models: machine.models,
    pipelines: machine.pipelines,
    rules: machine.rules,
    classes: () => (run.classes === undefined ? undefined : parseExactJson(run.classes, () => {})),
    now: new Date(),
    log,
    executed: (nodeId, slot) => executed().get(`${slot} ${nodeId}`),
    progress: (value, total, preview) => progress(value, total, preview),
    readInput: (name) => machine.readInput(name),
    writeOutput: (request) => machine.writeOutput(request),
  };
}

/** Texts, numbers and booleans by slot and node; what else is listed is left out. */
function readExecuted(text: string): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  const list = parseExactJson(text, () => {});
  if (!Array.isArray(list)) return values;
  for (const entry of list) {
    if (!Array.isArray(entry)) continue;
    const [nodeId, slot, value] = entry;
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value) || value instanceof ExactNumber;
    if (typeof nodeId === 'string' && typeof slot === 'number' && isPlain)
      values.set(`${slot} ${nodeId}`, value);
  }
  return values;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
