import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { type Graph, node } from './golden/graphs.ts';

/** What a client got from a server. */
type Fetched = {
  /** The file, as the client gave it. */
  readonly picture: Buffer;
  /** Steps that the client told of while the prompt ran, `value/max`. */
  readonly progress: readonly string[];
};

/** A client at work, through its own documented calls only. */
type Client = (url: string, graph: Graph) => Promise<Fetched>;

const MODULES = join(import.meta.dirname, 'clients', 'node_modules');

/** Whether `npm ci --prefix tests/conformance/clients --ignore-scripts` was run. */
export const areInstalled: boolean = existsSync(join(MODULES, 'comfy-ui-client'));

/** The graph every client runs: half a second in which it can hear of progress, and a picture. */
export function clientGraph(color: number): Graph {
  return {
    '1': node('EmptyImage', { width: 32, height: 16, batch_size: 1, color }),
    '2': node('TestSleep', { value: ['1', 0], seconds: 0.5 }),
    '3': node('SaveImage', { images: ['2', 0], filename_prefix: 'client' }),
  };
}

/** Packages that the root does not know: their types are what their documentation says. */
async function load<T>(path: string): Promise<T> {
  return (await import(/* @vite-ignore */ pathToFileURL(join(MODULES, path)).href)) as T;
}

type StableCanvas = {
  readonly Client: new (config: {
    readonly api_host: string;
    readonly WebSocket: unknown;
    readonly fetch: unknown;
  }) => {
    connect(): unknown;
    close(): void;
    getSystemStats(): Promise<unknown>;
    enqueue(
      prompt: Graph,
      options: { readonly progress: (step: { readonly value: number; readonly max: number }) => void },
    ): Promise<{ readonly images: readonly { readonly type: string; readonly data: string }[] }>;
  };
};

const stableCanvas: Client = async (url, graph) => {
  const { Client } = await load<StableCanvas>('@stable-canvas/comfyui-client/dist/main.module.mjs');
  const client = new Client({ api_host: new URL(url).host, WebSocket, fetch });
  await client.getSystemStats();
  await client.connect();
  try {
    const progress: string[] = [];
    const { images } = await client.enqueue(graph, {
      progress: ({ value, max }) => progress.push(`${value}/${max}`),
    });
    const answer = await fetch(images[0]?.data ?? '');
    return { picture: Buffer.from(await answer.arrayBuffer()), progress };
  } finally {
    client.close();
  }
};

type Image = { readonly filename: string; readonly subfolder: string; readonly type: string };
type Saintno = {
  readonly ComfyApi: new (
    url: string,
  ) => {
    init(): { waitForReady(): Promise<unknown> };
    destroy(): void;
    getImage(image: Image): Promise<Blob>;
  };
  readonly PromptBuilder: new (
    graph: Graph,
    inputs: readonly string[],
    outputs: readonly string[],
  ) => { setOutputNode(name: string, id: string): unknown };
  readonly CallWrapper: new (
    api: unknown,
    builder: unknown,
  ) => {
    onProgress(told: (step: { readonly value: number; readonly max: number }) => void): Call;
  };
};
type Call = {
  onFinished(told: (data: Readonly<Record<string, { readonly images: readonly Image[] }>>) => void): Call;
  onFailed(told: (error: unknown) => void): Call;
  run(): Promise<unknown>;
};

const saintno: Client = async (url, graph) => {
  const { ComfyApi, PromptBuilder, CallWrapper } = await load<Saintno>(
    '@saintno/comfyui-sdk/build/index.esm.js',
  );
  const api = new ComfyApi(url);
  await api.init().waitForReady();
  try {
    const builder = new PromptBuilder(graph, [], ['saved']).setOutputNode('saved', '3');
    const progress: string[] = [];
    const image = await new Promise<Image | undefined>((done, fail) => {
      new CallWrapper(api, builder)
        .onProgress(({ value, max }) => progress.push(`${value}/${max}`))
        .onFinished((data) => done(data['saved']?.images[0]))
        .onFailed(fail)
        .run()
        .catch(fail);
    });
    if (image === undefined) throw new Error('the client finished without a picture');
    return { picture: Buffer.from(await (await api.getImage(image)).arrayBuffer()), progress };
  } finally {
    api.destroy();
  }
};

type ComfyUiClient = {
  readonly ComfyUIClient: new (
    host: string,
    clientId: string,
  ) => {
    /** Its socket: it reports no progress itself, so one listens beside it. */
    readonly ws?: WebSocket;
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    getImages(graph: Graph): Promise<Readonly<Record<string, readonly { readonly blob: Blob }[]>>>;
  };
};

const comfyUiClient: Client = async (url, graph) => {
  const { ComfyUIClient } = await load<ComfyUiClient>('comfy-ui-client/dist/index.mjs');
  const client = new ComfyUIClient(new URL(url).host, 'comfy-ui-client');
  await client.connect();
  try {
    const progress: string[] = [];
    client.ws?.on('message', (data, isBinary) => {
      const { type, data: step } = isBinary ? {} : JSON.parse(String(data));
      if (type === 'progress') progress.push(`${step.value}/${step.max}`);
    });
    const images = await client.getImages(graph);
    const blob = images['3']?.[0]?.blob;
    if (!blob) throw new Error('the client finished without a picture');
    return { picture: Buffer.from(await blob.arrayBuffer()), progress };
  } finally {
    await client.disconnect();
  }
};

/** By the name of the package. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  '@stable-canvas/comfyui-client': stableCanvas,
  '@saintno/comfyui-sdk': saintno,
  'comfy-ui-client': comfyUiClient,
};
