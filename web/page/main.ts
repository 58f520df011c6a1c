import { element, fill } from '../shared/element.ts';
import { composeView } from './compose.ts';
import { galleryView, picturesOf } from './gallery.ts';
import { type Live, listen } from './live.ts';
import { showLogin } from './login.ts';
import { nodeListView } from './node-list.ts';
import { type RunsState, showRuns } from './runs.ts';
import { fetchHistory, fetchNodes, fetchQueue, LoginNeeded } from './server.ts';

/** The views beside the queue, by the fragment of the address. */
const TABS = [
  { id: 'pictures', title: 'Pictures' },
  { id: 'nodes', title: 'Nodes' },
] as const;

const find = (id: string): HTMLElement => document.getElementById(id) ?? document.body;
const content = find('view');
const failure = find('failure');
const runs = find('queue');
const detail = dialog('detail');
const clientId = crypto.randomUUID();

let state: RunsState = { running: [], pending: [], history: [], live: undefined };
/** What the gallery shows: it is drawn anew only where that changed, so that scrolling and focus stay. */
let shownPictures = '';
/** Whether something changed while the answer to the last question was on its way. */
let asking = false;
let askAgain = false;

start();

function start(): void {
  fill(
    find('compose'),
    composeView(clientId, () => void refresh()),
  );
  showTabs();
  addEventListener('hashchange', () => void showContent());
  // What a button started and nobody waits for.
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    report(event.reason);
  });
  // A click beside the dialog closes it.
  detail.addEventListener('click', ({ target }) => target === detail && detail.close());
  listen(clientId, { connection: showConnection, changed: () => void refresh(), progress: showProgress });
  void showContent();
}

/** Asks for the queue and the history, once at a time. */
async function refresh(): Promise<void> {
  askAgain = asking;
  if (asking) return;
  asking = true;
  try {
    const [queue, history] = await Promise.all([fetchQueue(), fetchHistory()]);
    state = { ...state, ...queue, history };
    fill(failure);
    showRuns(runs, state);
    if (tab() === 'pictures') await showContent();
  } catch (error) {
    report(error);
  } finally {
    asking = false;
  }
  if (askAgain) await refresh();
}

function showProgress(live: Live | undefined): void {
  state = { ...state, live };
  showRuns(runs, state);
}

function showConnection(isOpen: boolean): void {
  const connection = find('connection');
  connection.className = isOpen ? 'open' : 'closed';
  connection.textContent = isOpen ? 'Connected' : 'Not connected; trying again…';
}

async function showContent(): Promise<void> {
  showTabs();
  try {
    if (tab() === 'nodes') {
      shownPictures = '';
      fill(content, nodeListView(await fetchNodes()));
      return;
    }
    const pictures = picturesOf(state.history);
    const key = JSON.stringify(pictures);
    if (key === shownPictures) return;
    shownPictures = key;
    fill(content, galleryView(pictures, detail));
  } catch (error) {
    report(error);
  }
}

function tab(): string {
  const named = location.hash.slice(1);
  return TABS.find(({ id }) => id === named)?.id ?? 'pictures';
}

function showTabs(): void {
  const links = TABS.map(({ id, title }) =>
    element('a', { href: `#${id}`, ...(id === tab() && { 'aria-current': 'page' }) }, title),
  );
  fill(find('tabs'), ...links);
}

/** A server that wants a token is asked for again once it has one; other failures are shown where things would be. */
function report(error: unknown): void {
  if (error instanceof LoginNeeded) {
    showLogin(dialog('login'), () => location.reload());
    return;
  }
  const said = error instanceof Error ? error.message : String(error);
  fill(failure, element('p', { class: 'error' }, `The server cannot be asked: ${said}`));
}

function dialog(id: string): HTMLDialogElement {
  const found = document.getElementById(id);
  return found instanceof HTMLDialogElement ? found : document.body.appendChild(element('dialog', { id }));
}
