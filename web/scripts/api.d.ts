/**
 * What we use of ComfyUI's client of its own server (`/scripts/api.js`), which is not bundled.
 * Source: front ends 1.35.9 and 1.58.1, both run.
 */

/** `executed`: a node is done and says what a client may show. */
export type ExecutedDetail = {
  readonly node: string | number;
  readonly display_node?: string | number;
  readonly output: Readonly<Record<string, unknown>> | null;
};

/** The client. */
export const api: {
  /** Puts `/api` before the route. */
  fetchApi(route: string, options?: RequestInit): Promise<Response>;
  apiURL(route: string): string;
  addEventListener(type: 'executed', listener: (event: CustomEvent<ExecutedDetail>) => void): void;
};
