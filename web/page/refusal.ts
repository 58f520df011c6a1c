import { element } from '../shared/element.ts';
import type { Refusal } from './server.ts';

/** What the server would not run, node by node. */
export function refusalView({ error, node_errors: nodeErrors = {} }: Refusal): HTMLElement {
  const nodes = Object.entries(nodeErrors).map(([id, { class_type: type, errors }]) =>
    element(
      'li',
      {},
      element('b', {}, element('span', { class: 'lineage-node' }, id), ` ${type}`),
      element(
        'ul',
        {},
        ...errors.map(({ message, details }) =>
          element('li', {}, details === '' ? message : `${message}: ${details}`),
        ),
      ),
    ),
  );
  return element(
    'div',
    { class: 'error', role: 'alert' },
    element('p', {}, headOf(error)),
    nodes.length > 0 && element('ul', { class: 'node-errors' }, ...nodes),
  );
}

function headOf(error: Refusal['error']): string {
  if (error === undefined) return 'Queued, but part of it does not run:';
  if (typeof error === 'string') return error;
  // The details of this one repeat, without the nodes, what the list below says.
  const repeats = error.type === 'prompt_outputs_failed_validation';
  return repeats || error.details === '' || error.details === error.message
    ? error.message
    : `${error.message}: ${error.details}`;
}
