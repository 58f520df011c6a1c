import { api } from '../scripts/api.js';
import { app } from '../scripts/app.js';
import { fetchGraphsText, PanelError } from '../shared/panel-client.ts';
import { type LoadableGraph, parseGraphs } from './parse-graphs.ts';

/** The front end reads PNG and WebP by itself. */
const OURS: ReadonlySet<string> = new Set(['image/jpeg', 'image/avif']);
/** Long enough to read two lines. */
const TOAST_MS = 8_000;
/** Numbers that a toast names. */
const SHOWN_NUMBERS = 3;

/**
 * Loads the workflow of a JPEG or AVIF that is dropped where the front end would load it. Whether one is inside is
 * known only after the drop has to be decided upon: such a file is taken, and handed back to the front end where it
 * holds no graph. All other drops, also of these files on a node or a dialog that takes them, go on as they come.
 */
export function loadDroppedPictures(): void {
  // The front end listens on the document: this is asked right before it, and after whatever lies inside.
  document.documentElement.addEventListener('drop', take);
}

function take(event: DragEvent): void {
  const [file, ...others] = event.dataTransfer?.files ?? [];
  if (!file || others.length > 0 || !OURS.has(file.type) || event.defaultPrevented || app.dragOverNode)
    return;
  event.preventDefault();
  event.stopPropagation();
  void load(file);
}

async function load(file: File): Promise<void> {
  const found = await graphIn(file);
  if (!found) return await app.handleFile(file, 'file_drop');
  const { kind, graph, rounded } = found;
  const name = file.name.replace(/\.\w+$/, '');
  if (kind === 'workflow') await app.loadGraphData(graph, true, true, name);
  else await app.loadApiJson(graph, name);
  if (rounded.length > 0) tellRounded(file.name, rounded);
}

async function graphIn(file: File): Promise<LoadableGraph | undefined> {
  try {
    return parseGraphs(await fetchGraphsText(api.fetchApi.bind(api), file));
  } catch (error) {
    // Pictures of others hold no graph: that needs no words. Anything else is said, and the file handed back.
    if (!(error instanceof PanelError && error.code === 'panel/no-graph')) tellFailure(file.name, error);
    return undefined;
  }
}

function tellRounded(name: string, numbers: readonly string[]): void {
  const shown = numbers.slice(0, SHOWN_NUMBERS).join(', ');
  const more = numbers.length > SHOWN_NUMBERS ? ` and ${numbers.length - SHOWN_NUMBERS} more` : '';
  app.extensionManager.toast.add({
    severity: 'warn',
    summary: `Numbers of ${name} were rounded`,
    detail: `The editor holds no whole numbers beyond 2^53 exactly: ${shown}${more}. A seed among them gives another picture.`,
    life: TOAST_MS,
  });
}

function tellFailure(name: string, error: unknown): void {
  const hint = error instanceof PanelError ? ` ${error.hint}` : '';
  app.extensionManager.toast.add({
    severity: 'warn',
    summary: `Lineage cannot read ${name}`,
    detail: `${error instanceof Error ? error.message : String(error)}.${hint}`,
    life: TOAST_MS,
  });
}
