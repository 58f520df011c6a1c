import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openCheckout, writeStubs } from '../../conformance/comfyui-checkout.ts';
import type { RawGraph } from '../../metadata/graphs.ts';

/** What the predecessor needs to run: a checkout of it, one of ComfyUI, and a Python with the packages of both. */
type Places = { readonly python: string; readonly comfyui: string; readonly predecessor: string };

/** The save node of xxmjskxx/ComfyUI_SaveImageWithMetaDataUniversal in a process of its own. */
export type Predecessor = {
  /** Puts a graph where a run of ComfyUI leaves it. The save node's class becomes the predecessor's. */
  load(prompt: RawGraph, save: string, workflow?: unknown): Promise<void>;
  /** Trace, capture and text of the loaded graph, as its node does it for each picture; `hashing` is part of it. */
  capture(): Promise<{ readonly milliseconds: number; readonly hashing: number; readonly text: string }>;
  /** The whole node: writes a JPEG of one colour. */
  save(kilobytes: number, side: number): Promise<{ readonly file: string; readonly stage: string }>;
  close(): Promise<void>;
};

/**
 * Starts it.
 *
 * @param work a folder for its output; models lie in `work/models`, in ComfyUI's layout
 * @throws Error with what Python wrote where it ends
 */
export async function startPredecessor(places: Places, work: string): Promise<Predecessor> {
  const script = join(import.meta.dirname, 'predecessor.py');
  const { folder } = openCheckout(places.comfyui, places.python);
  const child = spawn(places.python, [script, folder, places.predecessor, work], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: writeStubs(places.python, work), PYTHONDONTWRITEBYTECODE: '1' },
  });
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log = (log + data.toString()).slice(-4_000);
  });
  const closed = once(child, 'close');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (!done) return value;
    await closed;
    throw new Error(`the predecessor ended: ${log}`);
  };
  const ask = (request: object): Promise<string> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  await next();
  return {
    load: async (prompt, save, workflow) => {
      await ask({ do: 'load', prompt, save, workflow });
    },
    capture: async () => JSON.parse(await ask({ do: 'capture' })),
    save: async (kilobytes, side) => JSON.parse(await ask({ do: 'save', kilobytes, side })),
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
