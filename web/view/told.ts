import { PanelError, type Receipt, type Story } from '../shared/panel-client.ts';

/** Where a node is drawn, in pixels from the upper left. */
export type DrawnNode = {
  readonly id: string;
  readonly classType: string;
  readonly title?: string;
  readonly x: number;
  readonly y: number;
};

/** The graph of a picture, laid out by the server. */
export type PictureGraph = {
  readonly nodes: readonly DrawnNode[];
  readonly links: readonly { readonly from: string; readonly to: string }[];
  readonly nodeSize: { readonly width: number; readonly height: number };
  readonly width: number;
  readonly height: number;
  readonly placedBy: 'workflow' | 'links';
  readonly leftOut: number;
};

/** A part of what a file says of itself, or why it cannot be had. */
type Part<T> = { readonly value: T } | { readonly error: Failure };
type Failure = { readonly code: string; readonly message: string; readonly hint: string };

/** What the server tells of one file. */
export type Told = {
  readonly story: Part<Story>;
  readonly receipt: Part<Receipt>;
  readonly graph: Part<PictureGraph | null>;
};

/** The names of the files, as they were given. */
export async function fetchNames(): Promise<readonly string[]> {
  return await fetchJson<readonly string[]>('files');
}

/** @throws PanelError for a file that is gone, or cannot be read any more */
export async function fetchTold(index: number): Promise<Told> {
  return await fetchJson<Told>(`files/${index}`);
}

export function pictureUrl(index: number): string {
  return `files/${index}/picture`;
}

/** A failure of one part, to be shown as any other. */
export function failureOf(error: Failure): PanelError {
  return new PanelError(error.code, error.message, error.hint);
}

async function fetchJson<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (response.status === 404)
    throw new PanelError('file/missing', 'The file is not there any more.', 'Run lineage view again.');
  if (!response.ok)
    throw new PanelError(
      String(response.status),
      `The server answered ${response.status} ${response.statusText}.`,
      'Check the permissions of the file.',
    );
  // The server is ours: its shapes are the types above.
  return (await response.json()) as T;
}
