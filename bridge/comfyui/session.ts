import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { isPictures } from '../../nodes/kit/pictures.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { answerPanel } from '../panel/panel.ts';
import { createComfyHost } from './comfy-host.ts';
import type { Exchange } from './exchange.ts';
import { describeFailure } from './failure.ts';
import { readInputs } from './inputs.ts';
import { createKeptTexts } from './kept-texts.ts';
import { type Machine, openMachine } from './machine.ts';
import { openMachineInUse } from './machine-in-use.ts';
import type { ExchangeFile, FromPython, PanelMessage, RunMessage, ToPython } from './messages.ts';
import { packOutputs } from './outputs.ts';
import { createProgress } from './progress.ts';
import type { Settings } from './settings.ts';

/** Smaller ones cost V8 little. */
const FREED_FROM_BYTES = 1 << 20;

/** What happens over one connection, after the handshake. */
export type Session = {
  /**
   * Takes one message; answers go out by `send`. Never throws: what goes wrong in a call is that call's answer, anything
   * else is logged.
   */
  receive(message: Exclude<FromPython, { kind: 'hello' }>): void;
};

type SessionParts = {
  readonly definitions: readonly AnyNode[];
  readonly exchange: Exchange;
  readonly settings: Settings;
  readonly send: (message: ToPython) => void;
};

/**
 * Frees the memory of what a node made, which was handed over with its result. Left to V8, that collects garbage every
 * fifth picture of 12 MiB: then a picture in and out takes 45 ms instead of 22.
 */
function freePictures(batch: readonly Pixels[]): void {
  for (const { data } of batch) {
    const { buffer } = data;
    // Below that size it may be a part of memory that Node shares out.
    const isOwn = buffer instanceof ArrayBuffer && data.byteLength === buffer.byteLength;
    if (isOwn && !buffer.detached && data.byteLength >= FREED_FROM_BYTES) buffer.transfer(0);
  }
}

/** Runs nodes and answers the panel, any number side by side. */
export function createSession({ definitions, exchange, settings, send }: SessionParts): Session {
  const table = new Map<string, AnyNode>(definitions.map((each) => [each.id, each]));
  const runs = new Map<number, AbortController>();
  const log = (level: 'debug' | 'info' | 'warn' | 'error', message: string): void =>
    send({ kind: 'log', level, message });
  const texts = createKeptTexts((code, message) => log('warn', `[${code}] ${message}`));
  const logError = (error: unknown): void =>
    log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  const machines = openMachineInUse(
    settings,
    (from) => openMachine(from, (message) => log('warn', message)),
    logError,
  );

  async function call(id: number, work: (signal: AbortSignal) => Promise<ToPython>): Promise<void> {
    const controller = new AbortController();
    runs.set(id, controller);
    try {
      send(await work(controller.signal));
    } catch (error) {
      send({ kind: 'failed', id, error: describeFailure(error, controller.signal) });
    } finally {
      runs.delete(id);
    }
  }

  async function run(message: RunMessage, signal: AbortSignal, machine: Machine): Promise<ToPython> {
    const definition = table.get(message.node);
    if (!definition)
      throw new LineageError('bridge/unknown-node', 'expected a node of this pack, got another', {
        node: message.nodeId,
      });
    // Found now: the next message may forget them.
    const [prompt, extraPnginfo] = [texts.find(message.prompt), texts.find(message.extraPnginfo)];
    const inputs = await readInputs(definition, message, exchange);
    for (const [, value] of message.inputs) if (value.kind === 'pixels') taken(value.file);
    let hasPreviewed = false;
    const progress = createProgress(async ({ value, total, preview }) => {
      hasPreviewed ||= preview !== undefined;
      // Without a picture nothing is waited for, so that the last step is told before the result.
      const file = preview ? await writePreview(preview) : null;
      send({ kind: 'progress', id: message.id, value, total, preview: file });
    });
    try {
      const host = createComfyHost(message, {
        prompt,
        extraPnginfo,
        machine,
        signal,
        log,
        progress: (value, total, preview) => progress.report({ value, total, preview }),
      });
      signal.throwIfAborted();
      // What a definition's `run` takes is exactly what `readInputs` makes of its fields.
      const result = await definition.run(inputs as never, host);
      signal.throwIfAborted();
      const outputs = await packOutputs(definition, result.outputs, inputs, exchange);
      // Of a run that failed, something may still be at work on its pictures; so may a preview be on its way.
      if (!hasPreviewed) {
        for (const value of Object.values(inputs)) if (isPictures(value)) exchange.recycle(value);
        for (const value of Object.values(result.outputs)) if (isPictures(value)) freePictures(value);
      }
      return { kind: 'done', id: message.id, outputs, ui: result.ui ?? null };
    } finally {
      progress.finish();
    }
  }

  /** A preview is no reason to fail: where there is no room for it, the bar goes on without. */
  async function writePreview(preview: Pixels): Promise<ExchangeFile | null> {
    try {
      return await exchange.writePixels([preview]);
    } catch (error) {
      log('warn', `no preview: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }

  async function panel(message: PanelMessage, machine: Machine): Promise<ToPython> {
    const body = message.body ? await exchange.readBytes(message.body) : new Uint8Array();
    if (message.body) taken(message.body);
    const { method, path } = message;
    const answer = await answerPanel({ method, path, query: new Map(message.query), body }, machine);
    return {
      kind: 'answer',
      id: message.id,
      status: answer.status,
      contentType: answer.contentType,
      body: answer.body.byteLength > 0 ? await exchange.writeBytes(answer.body) : null,
    };
  }

  function taken({ name }: ExchangeFile): void {
    send({ kind: 'taken', name });
  }

  function take(message: Parameters<Session['receive']>[0]): void {
    switch (message.kind) {
      case 'run':
        void call(message.id, (signal) => machines.use((machine) => run(message, signal, machine)));
        break;
      case 'panel':
        void call(message.id, () => machines.use((machine) => panel(message, machine)));
        break;
      case 'keep':
        texts.keep(message.text, message.content);
        break;
      case 'forget':
        texts.forget(message.text);
        break;
      case 'cancel':
        runs.get(message.id)?.abort(new Error('interrupted'));
        break;
      case 'taken':
        exchange.release(message.name);
        break;
      case 'settings':
        machines.replace(message.settings);
        break;
    }
  }

  return {
    receive(message) {
      try {
        take(message);
      } catch (error) {
        logError(error);
      }
    },
  };
}
