import { element, fill } from '../shared/element.ts';
import { failureView } from '../shared/failure-view.ts';
import { fetchGraphsText } from '../shared/panel-client.ts';
import { parseExact } from './exact-json.ts';
import { refusalView } from './refusal.ts';
import { ask, LoginNeeded, queuePrompt } from './server.ts';

/** What can be queued: a graph, and the workflow to go along with it. */
type Composed = { readonly prompt: object; readonly workflow?: unknown };

/**
 * The place to paste or drop what should run: a prompt graph in the API format, a request or recorded pair that
 * holds one, or a picture that embeds one.
 */
export function composeView(clientId: string, onQueued: () => void): HTMLElement {
  const text = element('textarea', {
    id: 'compose-text',
    rows: '5',
    spellcheck: 'false',
    placeholder: '{ "1": { "class_type": … } }',
    'aria-describedby': 'compose-help',
  });
  const message = element('div', { class: 'message', 'aria-live': 'polite' });
  const file = element('input', {
    type: 'file',
    id: 'compose-file',
    class: 'visually-hidden',
    accept: '.json,image/png,image/jpeg,image/webp,image/avif',
    change: () => void take(file.files?.[0]),
  });
  const button = element('button', { type: 'submit', class: 'primary' }, 'Queue');
  const form = element(
    'form',
    {
      submit: (event) => {
        event.preventDefault();
        void run(() => readGraph(text.value));
      },
    },
    element('label', { for: 'compose-text' }, 'New run'),
    text,
    element(
      'p',
      { id: 'compose-help', class: 'help' },
      'Paste a graph saved with “Export (API)”, or drop a file or a picture anywhere on the page.',
    ),
    element(
      'div',
      { class: 'buttons' },
      button,
      file,
      element('label', { for: 'compose-file', class: 'button' }, 'Choose a file…'),
    ),
    message,
  );
  takeDrops((dropped) => void take(dropped));
  return form;

  async function take(chosen: File | undefined): Promise<void> {
    file.value = '';
    if (!chosen) return;
    await run(async () =>
      chosen.type.startsWith('image/')
        ? readGraph(await fetchGraphsText(ask, chosen))
        : readGraph(await chosen.text()),
    );
  }

  /** Queues what `read` gives, and says what became of it. */
  async function run(read: () => Composed | Promise<Composed>): Promise<void> {
    button.disabled = true;
    try {
      const refusal = await queuePrompt(requestOf(await read(), clientId));
      fill(message, refusal ? refusalView(refusal) : element('p', { class: 'good' }, 'Queued.'));
      onQueued();
    } catch (error) {
      if (error instanceof LoginNeeded) throw error;
      fill(message, failureView(error));
    } finally {
      button.disabled = false;
    }
  }
}

/**
 * The graph in a text.
 *
 * @throws Error in words for people
 */
function readGraph(text: string): Composed {
  const value = parseWords(text);
  if (!isObject(value)) throw new Error('Expected a JSON object.');
  if (Array.isArray(value['nodes']))
    throw new Error('This is a workflow of the editor. Save it with “Export (API)” and take that file.');
  const prompt = isObject(value['prompt']) ? value['prompt'] : value;
  const { workflow } = isObject(value['prompt']) ? value : {};
  const hasNodes = Object.values(prompt).some((node) => isObject(node) && 'class_type' in node);
  if (!hasNodes) throw new Error('Expected nodes with a class_type, by id; found none.');
  return { prompt, ...(isObject(workflow) && { workflow }) };
}

function parseWords(text: string): unknown {
  try {
    return parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`This is no JSON: ${error.message}`);
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requestOf({ prompt, workflow }: Composed, clientId: string): string {
  const extra = workflow === undefined ? {} : { extra_data: { extra_pnginfo: { workflow } } };
  return JSON.stringify({ client_id: clientId, prompt, ...extra });
}

/** Files dropped anywhere; the page shows that it takes them. */
function takeDrops(take: (file: File) => void): void {
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  const { classList } = document.documentElement;
  document.addEventListener('dragover', (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    classList.remove('dropping');
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}
