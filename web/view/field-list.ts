import { element } from '../shared/element.ts';
import type { Field, Story } from '../shared/panel-client.ts';

/** The fields of a picture. */
export type FieldList = {
  readonly root: HTMLElement;
  /** Marks the fields that a node gave. */
  mark(nodeId: string | null): void;
  /** Shows again what was pressed, after something else was shown. */
  restore(): void;
};

/**
 * Each field with its value and its way. The way is shown while the field has the focus or the pointer, and stays when
 * its name is pressed, until it is pressed again or another is.
 *
 * @param onWay told which way to show; empty for none
 */
export function fieldList(story: Story, onWay: (path: readonly string[]) => void): FieldList {
  const rows: { readonly field: Field; readonly row: HTMLElement; readonly name: HTMLButtonElement }[] = [];
  let pinned: Field | undefined;
  const pin = (field: Field | undefined): void => {
    pinned = field;
    for (const each of rows) each.name.setAttribute('aria-pressed', String(each.field === field));
    onWay(field?.path ?? []);
  };
  const rest = (): void => onWay(pinned?.path ?? []);

  const makeRow = (field: Field): HTMLElement => {
    const name = element(
      'button',
      {
        type: 'button',
        class: 'field-name',
        'aria-pressed': 'false',
        click: () => pin(pinned === field ? undefined : field),
        focus: () => onWay(field.path),
        blur: rest,
      },
      field.field.toLowerCase().replaceAll('_', ' '),
    );
    const row = element(
      'li',
      {
        class: 'field',
        pointerenter: () => onWay(field.path),
        pointerleave: rest,
        'data-field': field.field,
      },
      name,
      element(
        'div',
        {},
        element('span', { class: 'field-value' }, field.value),
        element('span', { class: 'field-way' }, ...wayOf(field)),
      ),
    );
    rows.push({ field, row, name });
    return row;
  };

  const groups = [...story.samplers.map(({ nodeId }) => nodeId), null].flatMap((sampler) => {
    const fields = story.fields.filter((field) => field.sampler === sampler);
    if (fields.length === 0) return [];
    const title = sampler === null ? 'The picture' : `Sampler ${sampler}`;
    return [
      element('h2', {}, title, ...wayOn(sampler, fields)),
      element('ul', { 'aria-label': title }, ...fields.map(makeRow)),
    ];
  });
  const root = element('div', { class: 'field-list' }, ...groups);
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return pin(undefined);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = rows.findIndex(({ name }) => name === event.target);
    const next = step === undefined || at < 0 ? undefined : rows[at + step];
    if (!next) return;
    event.preventDefault();
    next.name.focus();
  });
  return {
    root,
    restore: rest,
    mark(nodeId) {
      for (const { field, row } of rows) row.classList.toggle('of-node', field.nodeId === nodeId);
    },
  };
}

/** `4 CheckpointLoaderSimple.ckpt_name › 20 › 10`: who gave it, then the nodes down to the sampler or to the picture. */
function wayOf({ path, nodeId, classType, input, sampler }: Field): HTMLElement[] {
  const end = sampler === null ? -1 : path.indexOf(sampler);
  const source = input === '' ? classType : `${classType}.${input}`;
  return joinIds(end < 0 ? path : path.slice(0, end + 1)).flatMap((part) =>
    part.textContent === nodeId ? [part, element('span', {}, source)] : [part],
  );
}

/** From a sampler to the picture it is the same way for all its fields: it stands at their head. */
function wayOn(sampler: string | null, fields: readonly Field[]): HTMLElement[] {
  const path = fields.find((field) => sampler !== null && field.path.includes(sampler))?.path ?? [];
  const on = sampler === null ? [] : path.slice(path.indexOf(sampler));
  return on.length < 2 ? [] : [element('span', { class: 'field-way' }, ...joinIds(on))];
}

function joinIds(ids: readonly string[]): HTMLElement[] {
  return ids.flatMap((id, index) => [
    ...(index > 0 ? [element('span', { class: 'arrow', 'aria-hidden': 'true' }, '›')] : []),
    element('span', { class: 'lineage-node' }, id),
  ]);
}
