import { element } from './element.ts';
import { PanelError } from './panel-client.ts';

/** Why something could not be shown or done, in the server's words, and what to do about it where the server says. */
export function failureView(reason: unknown): HTMLElement {
  const hint = reason instanceof PanelError ? reason.hint : '';
  return element(
    'div',
    { class: 'lineage-failure', role: 'alert' },
    element('p', {}, reason instanceof Error ? reason.message : String(reason)),
    hint !== '' && element('p', { class: 'lineage-hint' }, hint),
  );
}
