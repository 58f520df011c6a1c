/** A saved file, as ComfyUI's clients name it. */
export type SavedImage = { readonly filename: string; readonly subfolder: string; readonly type: string };

/** One reader's row of a receipt. */
export type ReceiptRow = {
  readonly reader: string;
  readonly name: string;
  readonly mark: 'all' | 'some' | 'none';
  readonly sees: readonly string[];
  readonly loses: readonly { readonly what: string; readonly why: string }[];
};

/** What each reader sees of a file. */
export type Receipt = {
  readonly format: string;
  readonly stage: string;
  readonly rows: readonly ReceiptRow[];
};

/** One sampler that took part. */
export type Sampler = {
  readonly nodeId: string;
  readonly classType: string;
  readonly samplerName?: string;
  readonly scheduler?: string;
  readonly steps?: number;
  readonly startStep?: number;
  readonly endStep?: number;
};

/** One value, who gave it, and its way down. */
export type Field = {
  readonly field: string;
  readonly value: string;
  readonly nodeId: string;
  readonly classType: string;
  readonly input: string;
  readonly path: readonly string[];
  readonly sampler: string | null;
};

/** Everything that a picture says of how it was made. */
export type Story = {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly from: 'record' | 'graph' | 'none';
  readonly holds: { readonly prompt: boolean; readonly workflow: boolean };
  readonly stage: string;
  readonly parameters: string;
  readonly positive: string;
  readonly negative: string;
  readonly details: readonly { readonly key: string; readonly value: string }[];
  readonly saveNode: string | null;
  readonly primary: string | null;
  readonly samplers: readonly Sampler[];
  readonly fields: readonly Field[];
  readonly resources: readonly {
    readonly kind: string;
    readonly name: string;
    readonly found: boolean;
    readonly autoV2?: string;
  }[];
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly where: string }[];
};

/** Asks the server by a route below `/lineage`. */
export type AskPanel = (route: string, options?: RequestInit) => Promise<Response>;

/** A refusal of the server, in its words. */
export class PanelError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** @throws PanelError */
export async function fetchReceipt(ask: AskPanel, image: SavedImage): Promise<Receipt> {
  return await readJson<Receipt>(await ask(`/lineage/receipt?${queryOf(image)}`));
}

/**
 * @param node the node that saved it
 * @throws PanelError
 */
export async function fetchStory(ask: AskPanel, image: SavedImage, node: string): Promise<Story> {
  return await readJson<Story>(
    await ask(`/lineage/fields?${queryOf(image)}&node=${encodeURIComponent(node)}`),
  );
}

/**
 * The graphs that a picture embeds, as JSON text: a 64-bit seed in it would not survive being parsed.
 *
 * @throws PanelError `panel/no-graph` where there are none
 */
export async function fetchGraphsText(ask: AskPanel, picture: Blob): Promise<string> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  const response = await ask('/lineage/workflow', { method: 'POST', headers, body: picture });
  if (!response.ok) throw await errorOf(response);
  return await response.text();
}

/** `filename=…&subfolder=…&type=…` */
export function queryOf({ filename, subfolder, type }: SavedImage): string {
  return new URLSearchParams({ filename, subfolder, type }).toString();
}

/** Whether something in an `images` list is a saved file. */
export function isSavedImage(value: unknown): value is SavedImage {
  return (
    typeof value === 'object' &&
    value !== null &&
    'filename' in value &&
    typeof value.filename === 'string' &&
    'subfolder' in value &&
    typeof value.subfolder === 'string' &&
    'type' in value &&
    typeof value.type === 'string'
  );
}

async function readJson<T>(response: Response): Promise<T> {
  if (!response.ok) throw await errorOf(response);
  // The server is ours: its shapes are the types above.
  return (await response.json()) as T;
}

/** The server's words, or the status where something else answered (a proxy, an old server). */
async function errorOf(response: Response): Promise<PanelError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; hint: string } };
    return new PanelError(error.code, error.message, error.hint);
  } catch {
    return new PanelError(
      String(response.status),
      `the server answered ${response.status} ${response.statusText}`,
      'Look into the log of the server.',
    );
  }
}
