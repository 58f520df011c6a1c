/** What a run tells while it runs. */
export type Live = {
  readonly promptId: string;
  /** The node at work. */
  readonly node: string | undefined;
  /** Of that node, in steps of its own. */
  readonly value: number;
  readonly max: number;
  /** Nodes done so far, by id. */
  readonly finished: ReadonlySet<string>;
  /** An object URL of the last preview picture. */
  readonly preview: string | undefined;
};

/** What is heard. */
export type LiveEvents = {
  connection(isOpen: boolean): void;
  /** The queue changed, or a run ended. */
  changed(): void;
  progress(live: Live | undefined): void;
};

/** Preview pictures: image type (u32) and bytes; JSON length (u32), JSON and bytes. */
const [PREVIEW, PREVIEW_OF_NODE] = [1, 4];
const IMAGE_TYPES: Readonly<Record<number, string>> = { 1: 'image/jpeg', 2: 'image/png' };
/** Between attempts to connect, in milliseconds: doubled each time up to the second. */
const [FIRST_WAIT, LONGEST_WAIT] = [500, 8_000];

/** Listens to the server for as long as the page is open, and connects again when it goes away. */
export function listen(clientId: string, events: LiveEvents): void {
  let wait = FIRST_WAIT;
  let live: Live | undefined;

  const connect = (): void => {
    const url = new URL(`ws?clientId=${clientId}`, document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      wait = FIRST_WAIT;
      socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
      events.connection(true);
      events.changed();
    });
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') hear(data);
      else if (data instanceof ArrayBuffer) see(data);
    });
    socket.addEventListener('close', () => {
      events.connection(false);
      setTimeout(connect, wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };

  const update = (next: Live | undefined): void => {
    if (live?.preview !== undefined && live.preview !== next?.preview) URL.revokeObjectURL(live.preview);
    live = next;
    events.progress(live);
  };

  const hear = (text: string): void => {
    const { type, data } = JSON.parse(text) as { type: string; data: Readonly<Record<string, unknown>> };
    const promptId = typeof data['prompt_id'] === 'string' ? data['prompt_id'] : '';
    const current = live?.promptId === promptId ? live : startOf(promptId);
    if (type === 'status') events.changed();
    else if (type === 'execution_start') update(startOf(promptId));
    else if (type === 'progress_state') update(withStates(current, data['nodes']));
    else if (type === 'executing' && typeof data['node'] === 'string')
      update({ ...current, node: data['node'], value: 0, max: 0, preview: undefined });
    else if (type === 'progress')
      update({ ...current, value: Number(data['value']), max: Number(data['max']) });
    else if (type === 'executing' || /^execution_(success|error|interrupted)$/.test(type)) {
      update(undefined);
      events.changed();
    }
  };

  const see = (frame: ArrayBuffer): void => {
    const view = new DataView(frame);
    const kind = view.byteLength >= 8 ? view.getUint32(0) : 0;
    if (!live || (kind !== PREVIEW && kind !== PREVIEW_OF_NODE)) return;
    const head = view.getUint32(4);
    const [at, type] =
      kind === PREVIEW ? [8, IMAGE_TYPES[head]] : [8 + head, typeIn(new Uint8Array(frame, 8, head))];
    if (type === undefined) return;
    update({ ...live, preview: URL.createObjectURL(new Blob([frame.slice(at)], { type })) });
  };

  connect();
}

function startOf(promptId: string): Live {
  return { promptId, node: undefined, value: 0, max: 0, finished: new Set(), preview: undefined };
}

/** `progress_state` names all nodes that are not waiting, every time. */
function withStates(live: Live, nodes: unknown): Live {
  const states = Object.entries(
    (nodes ?? {}) as Record<string, { state?: string; value?: number; max?: number }>,
  );
  const finished = new Set(states.flatMap(([id, { state }]) => (state === 'finished' ? [id] : [])));
  const [node, running] = states.find(([, { state }]) => state === 'running') ?? [live.node, undefined];
  return { ...live, finished, node, value: running?.value ?? 0, max: running?.max ?? 0 };
}

function typeIn(json: Uint8Array): string | undefined {
  const { image_type: type } = JSON.parse(new TextDecoder().decode(json)) as { image_type?: string };
  return type === 'image/jpeg' || type === 'image/png' ? type : undefined;
}
