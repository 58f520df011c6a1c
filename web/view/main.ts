/** The page of `lineage view`: a picture, how it was made, and where in its graph each word of that came from. */
import { element, fill } from '../shared/element.ts';
import { failureView } from '../shared/failure-view.ts';
import type { Story } from '../shared/panel-client.ts';
import { detailTable, fileList, receiptView, warningList, writtenText } from '../shared/story-view.ts';
import { fieldList } from './field-list.ts';
import { type GraphView, graphView } from './graph-view.ts';
import { stepAxis } from './step-axis.ts';
import { failureOf, fetchNames, fetchTold, pictureUrl, type Told } from './told.ts';

const places = {
  files: place('files'),
  ended: place('ended'),
  side: place('side'),
  graph: place('graph'),
  fields: place('fields'),
};
/** Counts what was asked to be shown, so that a slow answer does not come over a later one. */
let asked = 0;

const names = await fetchNames();
watchServer();
// The address says which file is shown: the link must not change it.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  places.fields.focus();
});
addEventListener('hashchange', () => void showChosen());
await showChosen();

function place(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** The address says which file: `#2` is the second. */
async function showChosen(): Promise<void> {
  const mine = ++asked;
  const index = Math.min(names.length, Math.max(1, Number.parseInt(location.hash.slice(1), 10) || 1)) - 1;
  const name = names[index] ?? '';
  document.title = `${name} · Lineage`;
  listFiles(index);
  fill(places.side, element('p', { class: 'lineage-note' }, 'Reading …'));
  fill(places.graph);
  fill(places.fields);
  try {
    const told = await fetchTold(index);
    if (mine === asked) show(told, index, name);
  } catch (error) {
    if (mine === asked) fill(places.side, failureView(error));
  }
}

function listFiles(current: number): void {
  const links = names.map((name, index) =>
    element(
      'a',
      { href: `#${index + 1}`, title: name, ...(index === current && { 'aria-current': 'page' }) },
      lastPart(name),
    ),
  );
  fill(places.files, ...(names.length > 1 ? links : []));
  places.files.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

function show({ story, receipt, graph }: Told, index: number, name: string): void {
  const told = 'value' in story ? story.value : undefined;
  // Made below; until then nobody points at anything.
  let drawn: GraphView | undefined;
  const fieldsOf = told && fieldList(told, (path) => drawn?.show(path));
  drawn = 'value' in graph && graph.value ? graphView(graph.value, (id) => fieldsOf?.mark(id)) : undefined;
  const failures = [story, graph, receipt].flatMap((part) => ('error' in part ? [part.error] : []));
  // What ails the file ails all parts: once is enough.
  const distinct = failures.filter(
    ({ message }, at) => failures.findIndex((other) => other.message === message) === at,
  );
  fill(
    places.side,
    figure(told, index, name),
    ...distinct.map((failure) => failureView(failureOf(failure))),
    told !== undefined &&
      told.samplers.length > 0 &&
      stepAxis(told.samplers, told.primary, (id) => (id === null ? fieldsOf?.restore() : drawn?.show([id]))),
    'value' in receipt ? receiptView(receipt.value) : null,
  );
  fill(places.graph, drawn?.root ?? element('p', { class: 'lineage-note' }, 'The file carries no graph.'));
  fill(places.fields, ...(told ? [...notes(told), fieldsOf?.root ?? null, ...rest(told)] : []));
}

function figure(told: Story | undefined, index: number, name: string): HTMLElement {
  const facts = told && `${told.width} × ${told.height} · ${told.format.toUpperCase()}`;
  const image = element('img', { src: pictureUrl(index), alt: 'The picture' });
  const words = element('figcaption', {}, element('b', { class: 'file-name' }, name));
  if (facts !== undefined) words.append(element('span', { class: 'lineage-soft' }, facts));
  return element('figure', {}, image, words);
}

/** How much of this is certain. */
function notes({ from, fields, parameters, holds }: Story): HTMLElement[] {
  const note = (text: string): HTMLElement => element('p', { class: 'lineage-note' }, text);
  if (fields.length === 0 && parameters === '')
    return [
      note(
        holds.workflow
          ? 'It carries a workflow, but no generation metadata. lineage tag makes that of it.'
          : 'It carries no generation metadata.',
      ),
    ];
  if (from === 'graph') return [note('It carries no record; this is traced now, from the graph in it.')];
  return [];
}

/** What belongs to no node. */
function rest(told: Story): (HTMLElement | null)[] {
  const parts = [
    told.fields.length === 0 ? detailTable(told) : null,
    told.resources.length > 0 ? fileList(told) : null,
    told.warnings.length > 0 ? warningList(told) : null,
    told.parameters !== '' ? writtenText(told) : null,
  ];
  return [element('div', { class: 'lineage-story' }, ...parts)];
}

/** The server ends when no page is open: this stream says that one is, and tells the page when the server has ended. */
function watchServer(): void {
  const stream = new EventSource('open');
  stream.addEventListener('open', () => fill(places.ended));
  stream.addEventListener('error', () =>
    fill(places.ended, 'The program that serves this page has ended. Run lineage view again.'),
  );
}
