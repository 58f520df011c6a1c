import type { Pixels } from '../../../nodes/kit/values.ts';
import type { PreviewOf } from '../events.ts';
import { encodePreview } from './preview-frame.ts';

/** More cannot be told apart by eye, and each costs an encoder's time. */
const MIN_INTERVAL_MS = 100;

type Preview = {
  readonly picture: Pixels;
  readonly of: PreviewOf;
  readonly clientId: string | undefined;
};

/** A node's previews: at most one is being encoded and one waits, the newest. */
type Lane = {
  busy: Promise<void> | undefined;
  waiting: Preview | undefined;
  timer: NodeJS.Timeout | undefined;
};

/** Encodes previews, at most ten a second of each node; newer ones replace those that wait. */
export type PreviewLanes = {
  offer(preview: Preview): void;
  /** Drops what waits, and resolves when what is being encoded was sent. */
  settle(): Promise<void>;
};

/** @param fail gets what the encoder throws; a preview is nothing to stop a job for. */
export function createPreviewLanes(
  send: (jpeg: Uint8Array, of: PreviewOf, clientId: string | undefined) => void,
  fail: (error: unknown) => void,
): PreviewLanes {
  const lanes = new Map<string, Lane>();

  function begin(lane: Lane, { picture, of, clientId }: Preview): void {
    const began = performance.now();
    lane.busy = encodePreview(picture)
      .then((jpeg) => send(jpeg, of, clientId))
      .catch(fail)
      .then(() => {
        lane.busy = undefined;
        lane.timer = setTimeout(() => next(lane), Math.max(0, MIN_INTERVAL_MS - (performance.now() - began)));
      });
  }

  function next(lane: Lane): void {
    lane.timer = undefined;
    const { waiting } = lane;
    lane.waiting = undefined;
    if (waiting) begin(lane, waiting);
  }

  return {
    offer(preview) {
      const { node_id: nodeId } = preview.of;
      const lane = lanes.get(nodeId) ?? { busy: undefined, waiting: undefined, timer: undefined };
      lanes.set(nodeId, lane);
      if (lane.busy || lane.timer) lane.waiting = preview;
      else begin(lane, preview);
    },
    async settle() {
      const ended = [...lanes.values()];
      lanes.clear();
      for (const lane of ended) lane.waiting = undefined;
      await Promise.all(ended.map(({ busy }) => busy));
      for (const { timer } of ended) clearTimeout(timer);
    },
  };
}
