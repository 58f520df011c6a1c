import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { createExchange, type Exchange } from '../../../bridge/comfyui/exchange.ts';
import { PACK_VERSION } from '../../../bridge/comfyui/manifest.ts';
import { PROTOCOL, type ToPython } from '../../../bridge/comfyui/messages.ts';

const ENTRY = fileURLToPath(new URL('./test-bridge.ts', import.meta.url));

/** A bridge started as process.py starts it, and what is needed to talk to it. */
export type BridgeUnderTest = {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly token: string;
  readonly socket: string;
  readonly port: number | null;
  readonly folders: { readonly scratch: readonly string[]; readonly home: string };
  readonly exchange: Exchange;
  /** All that it has printed so far. */
  said(): string;
};

/** Starts the true program; ends with its test. */
export async function startBridge(options: { loopback?: boolean } = {}): Promise<BridgeUnderTest> {
  const home = mkdtempSync(join(tmpdir(), 'lineage-bridge-test-'));
  const [runtime, shared] = ['lineage-1-run', 'lineage-1-shm'].map((name) => join(home, name));
  if (!runtime || !shared) throw new Error('two folders');
  for (const folder of [runtime, shared]) mkdirSync(folder, { mode: 0o700 });
  const token = randomBytes(32).toString('hex');
  const socket = join(runtime, 'bridge.sock');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { HOME: home },
  });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  child.stdin.write(
    `${JSON.stringify({
      token,
      listen: options.loopback ? { loopback: true } : { path: socket },
      exchange: [shared],
      scratch: [runtime, shared],
    })}\n`,
  );
  const [first] = await once(child.stdout, 'data');
  output += first;
  const { ready } = JSON.parse(String(first));
  return {
    process: child,
    token,
    socket,
    port: ready.port,
    folders: { scratch: [runtime, shared], home },
    exchange: createExchange([shared]),
    said: () => output,
  };
}

/** What the settings of these tests are. */
export function settingsOf({ folders: { home } }: BridgeUnderTest) {
  const folder = (name: string): string => join(home, name);
  return {
    output: folder('output'),
    input: folder('input'),
    temp: folder('temp'),
    home: folder('home'),
    disableMetadata: false,
    models: { checkpoints: [folder('elsewhere'), folder('missing')] },
  };
}

/** Opens a connection; rejects with the status where it is turned away. */
export async function connect(
  bridge: BridgeUnderTest,
  headers: Readonly<Record<string, string>> = { Authorization: `Bearer ${bridge.token}` },
): Promise<WebSocket> {
  const url = bridge.port === null ? `ws+unix:${bridge.socket}:/` : `ws://127.0.0.1:${bridge.port}/`;
  const client = new WebSocket(url, { headers, perMessageDeflate: false });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  client.once('open', () => resolve(client));
  client.once('error', () => {});
  client.once('unexpected-response', (_request, response) => {
    reject(new Error(`turned away with ${response.statusCode}`));
    client.terminate();
  });
  return await promise;
}

/** A client behind the handshake. */
export type Talk = {
  send(message: object): void;
  sendText(text: string): void;
  /** The next message of this kind; others on the way are kept aside. */
  next<K extends ToPython['kind']>(kind: K): Promise<Extract<ToPython, { kind: K }>>;
  /** What has come of this kind and nobody took. */
  waiting(kind: ToPython['kind']): readonly ToPython[];
  readonly closed: Promise<readonly [code: number, reason: string]>;
};

/** Listens from the start, so that no message is missed. */
export function talkOver(client: WebSocket): Talk {
  const messages: ToPython[] = [];
  let wake = (): void => {};
  client.on('message', (data) => {
    messages.push(JSON.parse(String(data)));
    wake();
  });
  const closed = once(client, 'close').then(([code, reason]) => [code, String(reason)] as const);
  void closed.then(() => wake());
  let texts = 0;
  /** Sends a text to keep, and gives its number. */
  const keep = (content: string): number => {
    texts++;
    client.send(JSON.stringify({ kind: 'keep', text: texts, content }));
    return texts;
  };
  return {
    send(message) {
      const graphs = Object.entries(message)
        .filter(([key]) => key === 'prompt' || key === 'extraPnginfo')
        .map(([key, value]) => [key, typeof value === 'string' ? keep(value) : value]);
      client.send(JSON.stringify({ ...message, ...Object.fromEntries(graphs) }));
    },
    waiting: (kind) => messages.filter((each) => each.kind === kind),
    sendText: (text) => client.send(text),
    async next(kind) {
      for (;;) {
        const at = messages.findIndex((each) => each.kind === kind);
        const [found] = at < 0 ? [] : messages.splice(at, 1);
        if (found && isOfKind(found, kind)) return found;
        if (client.readyState !== WebSocket.OPEN) throw new Error(`closed before ${kind}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    closed,
  };
}

function isOfKind<K extends ToPython['kind']>(
  message: ToPython,
  kind: K,
): message is Extract<ToPython, { kind: K }> {
  return message.kind === kind;
}

/** Connects and shakes hands. */
export async function greet(bridge: BridgeUnderTest, changes: object = {}): Promise<Talk> {
  const talk = talkOver(await connect(bridge));
  talk.send({
    kind: 'hello',
    protocol: PROTOCOL,
    version: PACK_VERSION,
    settings: settingsOf(bridge),
    ...changes,
  });
  return talk;
}

/** A run as Python asks for it, but for its graphs: `Talk.send` keeps these first and puts their numbers here. */
export function runOf(node: string, inputs: readonly (readonly [string, object])[], changes: object = {}) {
  return {
    kind: 'run',
    id: 1,
    node,
    nodeId: '7',
    inputs,
    prompt: '{}',
    extraPnginfo: '{}',
    executed: '[]',
    ...changes,
  };
}
