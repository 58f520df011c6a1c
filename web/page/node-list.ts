import { element, fill } from '../shared/element.ts';
import { type NodeClass, titleOf } from './server.ts';

/** Every node that the server offers, to search by title, id, category, type of socket. */
export function nodeListView(nodes: readonly NodeClass[]): HTMLElement {
  const list = element('ul', { class: 'nodes' });
  const count = element('p', { class: 'help', role: 'status' });
  const search = element('input', {
    type: 'search',
    id: 'node-search',
    placeholder: 'Title, id, category, IMAGE …',
    autocomplete: 'off',
    input: () => show(),
  });
  const rows = nodes.map((node) => ({ words: wordsOf(node), row: nodeRow(node) }));
  const show = (): void => {
    const wanted = search.value.toLowerCase().split(/\s+/);
    const found = rows.filter(({ words }) => wanted.every((word) => words.includes(word)));
    fill(list, ...found.map(({ row }) => row));
    count.textContent =
      found.length === rows.length ? `${rows.length} nodes` : `${found.length} of ${rows.length} nodes`;
  };
  show();
  return element(
    'section',
    { class: 'node-list', 'aria-label': 'Nodes' },
    element(
      'div',
      { class: 'search' },
      element('label', { for: 'node-search' }, 'Find a node'),
      search,
      count,
    ),
    list,
  );
}

function wordsOf(node: NodeClass): string {
  const sockets = inputsOf(node).map(({ name, type }) => `${name} ${type}`);
  return [
    titleOf(node),
    node.name,
    node.category,
    node.description ?? '',
    ...sockets,
    ...node.output.map(typeOf),
  ]
    .join(' ')
    .toLowerCase();
}

function nodeRow(node: NodeClass): HTMLElement {
  const inputs = inputsOf(node).map(({ name, type, optional, tooltip }) =>
    element(
      'li',
      { title: tooltip },
      element('code', {}, name),
      socketTag(type),
      optional && element('span', { class: 'help' }, 'optional'),
    ),
  );
  const outputs = node.output.map((type, slot) =>
    element('li', {}, element('code', {}, node.output_name[slot] ?? typeOf(type)), socketTag(typeOf(type))),
  );
  return element(
    'li',
    {},
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('b', {}, titleOf(node)),
        element('code', { class: 'help' }, node.name),
        element('span', { class: 'help category' }, node.category),
        node.output_node && element('span', { class: 'lineage-tag' }, 'output'),
      ),
      element('p', {}, node.description ?? ''),
      element(
        'div',
        { class: 'sockets' },
        element(
          'div',
          {},
          element('h3', {}, 'Inputs'),
          inputs.length > 0 ? element('ul', {}, ...inputs) : 'none',
        ),
        element(
          'div',
          {},
          element('h3', {}, 'Outputs'),
          outputs.length > 0 ? element('ul', {}, ...outputs) : 'none',
        ),
      ),
    ),
  );
}

type Input = {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly tooltip: string;
};

function inputsOf({ input }: NodeClass): readonly Input[] {
  return (
    [
      ['required', false],
      ['optional', true],
    ] as const
  ).flatMap(([group, optional]) =>
    Object.entries(input[group] ?? {}).map(([name, [type, options]]) => ({
      name,
      type: typeOf(type),
      optional,
      tooltip: String(options?.['tooltip'] ?? ''),
    })),
  );
}

/** A list of words is a menu. */
function typeOf(type: unknown): string {
  return Array.isArray(type) ? 'COMBO' : String(type);
}

function socketTag(type: string): HTMLElement {
  return element('span', { class: 'lineage-tag' }, type.toLowerCase());
}
