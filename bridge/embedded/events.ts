import type { Pixels } from '../../nodes/kit/values.ts';

/** What a run tells its client. `clientId` undefined: everybody who listens. */
export type EventSink = {
  /** A JSON message; `data` is serialised before this returns. */
  send(event: string, data: Readonly<Record<string, unknown>>, clientId: string | undefined): void;
  /** A preview picture of a node; sent as binary frame 4 to clients that can take it, as 1 to others. */
  preview(picture: Pixels, of: PreviewOf, clientId: string | undefined): void;
  /** A line of text under a node: binary frame 3. */
  text(message: string, nodeId: string, clientId: string | undefined): void;
};

/** Whose preview it is: the JSON of frame 4. */
export type PreviewOf = {
  readonly node_id: string;
  readonly prompt_id: string;
  readonly display_node_id: string;
  readonly parent_node_id: string | null;
  readonly real_node_id: string;
};
