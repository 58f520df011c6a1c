import { request } from 'node:http';
import sharp from 'sharp';
import WebSocket from 'ws';
import { type Json, parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { eachOf, shapeOf } from './shape.ts';

/** What is kept of one answer. */
export type HttpAnswer = {
  readonly status: number;
  /** Content type without parameters; '' where there is none. */
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Json;
};

/** What is kept of all: by the name of its case, an answer, or the messages a socket heard. */
export type Answers = Record<string, HttpAnswer | readonly Json[]>;

/** What a request says, beside its method and path. */
export type Asked = {
  readonly json?: unknown;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How a JSON body is reduced; by default to its shape. */
  readonly reduce?: (body: Json) => Json;
};

/** Headers that clients act on. */
const HEADERS = ['content-disposition', 'content-range'];
/** Longer than any step of the script on a busy machine. */
const PATIENCE_MS = 30_000;

/** An answer as it came. */
export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
};

/** Asks with the path as written: neither `..` nor an odd escape is tidied away. */
export function ask(url: string, method: string, path: string, asked: Asked = {}): Promise<RawAnswer> {
  const body = asked.json === undefined ? asked.body : JSON.stringify(asked.json);
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = {
      ...(asked.json !== undefined && { 'Content-Type': 'application/json' }),
      ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...asked.headers,
    };
    const sent = request({ host: hostname, port, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response
        .on('data', (part: Buffer) => parts.push(part))
        .on('error', reject)
        .on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(parts),
          }),
        );
    });
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    sent.on('error', reject).end(body);
  });
}

/** A JSON list whose elements are of a kind: their distinct shapes. */
export function each(body: Json): Json {
  return Array.isArray(body) ? eachOf(body as readonly Json[]) : shapeOf(body);
}

/** Reduces an answer to what is compared. */
export async function reduce(raw: RawAnswer, asked: Asked): Promise<HttpAnswer> {
  const type = String(raw.headers['content-type'] ?? '').split(';')[0] ?? '';
  const headers: Record<string, string> = {};
  for (const name of HEADERS) {
    const value = raw.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  return {
    status: raw.status,
    type: raw.bytes.length === 0 ? '' : type,
    ...(Object.keys(headers).length > 0 && { headers }),
    body: await reduceBody(raw.bytes, type, asked),
  };
}

async function reduceBody(bytes: Buffer, type: string, asked: Asked): Promise<Json> {
  if (bytes.length === 0) return '';
  if (type === 'application/json') {
    return (asked.reduce ?? shapeOf)(parseExactJson(bytes.toString('utf8'), () => {}));
  }
  if (/^image\/(png|jpeg|webp)$/.test(type)) {
    const { format, width, height, channels } = await sharp(bytes).metadata();
    return `${format} ${width}x${height}x${channels}`;
  }
  if (type === 'text/plain') return bytes.toString('utf8').split(/\s+/).slice(0, 4).join(' ');
  return type === 'text/html' ? 'html' : `${bytes.length} bytes`;
}

/** A socket that remembers what it hears. */
export class Listener {
  readonly #socket: WebSocket;
  readonly #heard: Json[] = [];
  readonly #raw: Json[] = [];
  /** Progress heard since something else was: it comes as often as the machine is fast. */
  #progress = new Set<string>();
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (!(data instanceof Buffer)) return;
      const message: Json = isBinary ? describeFrame(data) : parseExactJson(data.toString('utf8'), () => {});
      const shape = isBinary ? message : shapeOf(message);
      const text = JSON.stringify(shape);
      this.#raw.push(message);
      const isProgress = /^\{"(data":.*,"type":"progress(_state)?"|frame")/.test(text);
      if (!isProgress) this.#progress = new Set();
      if (!this.#progress.has(text)) this.#heard.push(shape);
      if (isProgress) this.#progress.add(text);
      this.#wake();
    });
  }

  /** Opens `/ws`, and waits for the first message. */
  static async open(
    url: string,
    clientId?: string,
    headers: Readonly<Record<string, string>> = {},
    path = '/ws',
  ): Promise<Listener> {
    const query = clientId === undefined ? '' : `?clientId=${encodeURIComponent(clientId)}`;
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}${query}`, { headers });
    const listener = new Listener(socket);
    await new Promise<void>((done, fail) => {
      socket.once('open', done).once('error', fail);
    });
    await listener.until((message) => isType(message, 'status'));
    return listener;
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  /** Waits for a message; what never comes is said in what was heard. */
  async until(matches: (message: Json) => boolean): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!this.#raw.some(matches)) {
      const left = end - Date.now();
      if (left <= 0) {
        this.#heard.push('(what was waited for did not come)');
        return;
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }

  /** Waits for the last message of a prompt. */
  async untilDone(promptId: string): Promise<void> {
    await this.until((message) => {
      if (!isType(message, 'executing')) return false;
      const { node, prompt_id } = message['data'] as { readonly node?: Json; readonly prompt_id?: Json };
      return node === null && prompt_id === promptId;
    });
  }

  /** Gives what was heard since the last call. */
  take(): readonly Json[] {
    this.#raw.length = 0;
    this.#progress = new Set();
    return this.#heard.splice(0);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#socket.once('close', () => done()));
    this.#socket.close();
    await closed;
  }
}

/** Asks for a socket; the status of the answer, 101 where it opens. */
export function tryUpgrade(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const upgrade = {
      ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      ...headers,
    };
    request({ host: hostname, port, path: '/ws?clientId=upgrade', headers: upgrade, agent: false })
      .on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      })
      .on('error', reject)
      .end();
  });
}

/** Whether a message is of a type. */
export function isType(
  message: Json,
  type: string,
): message is { readonly type: string; readonly data: Json } {
  return typeof message === 'object' && message !== null && 'type' in message && message['type'] === type;
}

/** The header of a binary frame (reference 2.4), big-endian. */
function describeFrame(data: Buffer): Json {
  const frame = data.readUInt32BE(0);
  const kindOf = (bytes: Buffer): string =>
    bytes.readUInt16BE(0) === 0xffd8 ? 'jpeg' : bytes.readUInt32BE(0) === 0x89504e47 ? 'png' : 'unknown';
  if (frame === 1) return { frame, image: data.readUInt32BE(4), bytes: kindOf(data.subarray(8)) };
  if (frame === 4) {
    const length = data.readUInt32BE(4);
    const json = parseExactJson(data.subarray(8, 8 + length).toString('utf8'), () => {});
    return { frame, json: shapeOf(json), bytes: kindOf(data.subarray(8 + length)) };
  }
  return { frame, length: data.length };
}
