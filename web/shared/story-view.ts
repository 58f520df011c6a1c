import { element } from './element.ts';
import type { Field, Receipt, ReceiptRow, Sampler, Story } from './panel-client.ts';

/** What a click on a node's id does; absent where there is no canvas to show it on. */
export type ShowNode = ((nodeId: string) => void) | undefined;

const MARKS = { all: '✓', some: '~', none: '✗' } as const;
const MARK_WORDS = {
  all: 'sees all that was meant',
  some: 'loses something',
  none: 'sees nothing',
} as const;
const STAGE_WORDS: Readonly<Record<string, string>> = {
  'reduced-exif': 'The JPEG budget left some of the metadata out (reduced).',
  minimal: 'The JPEG budget left most of the metadata out, and cut long prompts (minimal).',
  'com-marker': 'The JPEG budget left room for a comment only.',
};
/** Texts behind this length fold. */
const SHORT_TEXT = 220;

/** Who sees what of a file: one row a reader. */
export function receiptView({ rows, stage }: Receipt): HTMLElement {
  const stageWords = STAGE_WORDS[stage];
  return element(
    'section',
    { class: 'lineage-receipt', 'aria-label': 'Receipt' },
    element('h3', {}, 'Who sees what'),
    stageWords !== undefined && element('p', { class: 'lineage-note' }, stageWords),
    element('ul', {}, ...rows.map(readerRow)),
  );
}

/** The marks alone, in a line. */
export function receiptMarks({ rows }: Receipt): HTMLElement {
  const marks = rows.map(({ name, mark }) =>
    element(
      'span',
      { class: `lineage-chip lineage-${mark}`, title: `${name} ${MARK_WORDS[mark]}` },
      [MARKS[mark], name].join(' '),
    ),
  );
  return element('span', { class: 'lineage-marks' }, ...marks);
}

function readerRow({ name, mark, sees, loses }: ReceiptRow): HTMLElement {
  const lost = loses.map(({ what, why }) => element('li', {}, element('b', {}, what), `: ${why}`));
  return element(
    'li',
    { class: `lineage-reader lineage-${mark}` },
    element('span', { class: 'lineage-mark', role: 'img', 'aria-label': MARK_WORDS[mark] }, MARKS[mark]),
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { class: 'lineage-reader-name' }, name),
        element('span', { class: 'lineage-reader-says' }, summaryOf(mark, loses.length)),
      ),
      sees.length > 0 && element('p', {}, `Sees ${sees.join(', ')}.`),
      lost.length > 0 && element('ul', { class: 'lineage-losses' }, ...lost),
    ),
  );
}

function summaryOf(mark: ReceiptRow['mark'], losses: number): string {
  if (mark === 'all') return 'everything';
  return mark === 'none' ? 'nothing' : `loses ${losses === 1 ? 'one thing' : `${losses} things`}`;
}

/** How a picture was made: prompts, samplers, each field with the nodes it came along, files, the text as written. */
export function storyView(story: Story, showNode?: ShowNode): HTMLElement {
  if (story.parameters === '' && story.fields.length === 0)
    return element('p', { class: 'lineage-note' }, 'This picture carries no generation metadata.');
  const samplers = [...story.samplers.map(({ nodeId }) => nodeId), null];
  return element(
    'div',
    { class: 'lineage-story' },
    story.from === 'graph' &&
      element('p', { class: 'lineage-note' }, 'It carries no record; this is traced from the graph in it.'),
    prompts(story),
    story.samplers.length > 0 && samplerList(story, showNode),
    ...samplers.map((sampler) => fieldTable(sampler, story, showNode)),
    story.fields.length === 0 && detailTable(story),
    story.resources.length > 0 && fileList(story),
    story.warnings.length > 0 && warningList(story),
    story.parameters !== '' && writtenText(story),
  );
}

/** The text that most readers read, folded. */
export function writtenText({ parameters }: Story): HTMLElement {
  return element(
    'details',
    { class: 'lineage-text' },
    element('summary', {}, 'The text as written'),
    element('pre', { tabindex: '0' }, parameters),
  );
}

function prompts({ positive, negative }: Story): HTMLElement | null {
  if (positive === '' && negative === '') return null;
  return element(
    'section',
    { 'aria-label': 'Prompts' },
    positive !== '' && prompt('Prompt', positive),
    negative !== '' && prompt('Negative prompt', negative),
  );
}

function prompt(title: string, text: string): HTMLElement {
  const body =
    text.length <= SHORT_TEXT
      ? element('p', { class: 'lineage-prompt' }, text)
      : element(
          'details',
          {},
          element('summary', {}, `${text.slice(0, SHORT_TEXT - 20)}…`),
          element('p', { class: 'lineage-prompt' }, text),
        );
  return element('div', {}, element('h3', {}, title), body);
}

function samplerList({ samplers, primary }: Story, showNode: ShowNode): HTMLElement {
  const rows = samplers.map((sampler) =>
    element(
      'li',
      {},
      nodeLink(sampler.nodeId, showNode),
      element('b', {}, nameOf(sampler)),
      element('span', { class: 'lineage-soft' }, stepsOf(sampler)),
      sampler.nodeId === primary && element('span', { class: 'lineage-tag' }, 'primary'),
    ),
  );
  return element(
    'section',
    { 'aria-label': 'Samplers' },
    element('h3', {}, samplers.length === 1 ? 'Sampler' : `${samplers.length} samplers`),
    element('ul', { class: 'lineage-rows' }, ...rows),
  );
}

function nameOf({ samplerName, scheduler, classType }: Sampler): string {
  const parts = [samplerName, scheduler].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(' · ') : classType;
}

function stepsOf({ steps, startStep, endStep }: Sampler): string {
  if (steps === undefined) return 'unknown steps';
  return startStep === undefined ? `${steps} steps` : `steps ${startStep} to ${endStep ?? '?'} of ${steps}`;
}

/** The facts of one sampler, or of the picture itself (null). */
function fieldTable(sampler: string | null, { fields }: Story, showNode: ShowNode): HTMLElement | null {
  const facts = fields.filter((fact) => fact.sampler === sampler);
  if (facts.length === 0) return null;
  const title = sampler === null ? 'The picture' : `Sampler ${sampler}`;
  return element(
    'section',
    { 'aria-label': `Fields of ${title}` },
    element('h3', {}, title),
    element('dl', { class: 'lineage-fields' }, ...facts.flatMap((fact) => fieldRow(fact, showNode))),
  );
}

/** What the text says, where nothing tells which nodes said it. */
export function detailTable({ details }: Story): HTMLElement | null {
  if (details.length === 0) return null;
  const rows = details.flatMap(({ key, value }) => [
    element('dt', {}, key),
    element('dd', {}, element('span', { class: 'lineage-value' }, value)),
  ]);
  return element(
    'section',
    { 'aria-label': 'Details' },
    element('h3', {}, 'Details'),
    element('dl', { class: 'lineage-fields' }, ...rows),
  );
}

function fieldRow(fact: Field, showNode: ShowNode): HTMLElement[] {
  const source = fact.input === '' ? fact.classType : `${fact.classType}.${fact.input}`;
  return [
    element('dt', {}, fact.field.toLowerCase().replaceAll('_', ' ')),
    element(
      'dd',
      {},
      element('span', { class: 'lineage-value' }, fact.value),
      element(
        'span',
        { class: 'lineage-path', title: `${source}, along ${fact.path.join(' › ')}` },
        nodeLink(fact.nodeId, showNode),
        element('span', { class: 'lineage-source' }, source),
        ...wayDown(fact).flatMap((id) => [
          element('span', { 'aria-hidden': 'true' }, '›'),
          nodeLink(id, showNode),
        ]),
      ),
    ),
  ];
}

/** The nodes behind the one that was read, down to the sampler or, for the picture's own facts, the saving node. */
function wayDown({ path, nodeId, sampler }: Field): readonly string[] {
  const from = Math.max(0, path.indexOf(nodeId));
  const end = sampler === null ? -1 : path.indexOf(sampler);
  return path.slice(from + 1, end < 0 ? undefined : end + 1);
}

function nodeLink(id: string, showNode: ShowNode): HTMLElement {
  if (!showNode || id === '…') return element('span', { class: 'lineage-node' }, id);
  const attributes = {
    class: 'lineage-node',
    type: 'button',
    title: `Show node ${id}`,
    click: () => showNode(id),
  };
  return element('button', attributes, id);
}

/** The model files that took part. */
export function fileList({ resources }: Story): HTMLElement {
  const rows = resources.map(({ kind, name, autoV2 }) =>
    element(
      'li',
      {},
      element('span', { class: 'lineage-tag' }, kind),
      element('span', { class: 'lineage-file' }, name),
      autoV2 === undefined
        ? element('span', { class: 'lineage-soft' }, 'no hash')
        : element('code', {}, autoV2),
    ),
  );
  return element(
    'section',
    { 'aria-label': 'Files' },
    element('h3', {}, 'Files'),
    element('ul', { class: 'lineage-rows' }, ...rows),
  );
}

/** What the trace could not tell. */
export function warningList({ warnings }: Story): HTMLElement {
  const rows = warnings.map(({ message, where }) =>
    element('li', {}, where === '' ? message : `${where}: ${message}`),
  );
  return element(
    'section',
    { 'aria-label': 'Warnings' },
    element('h3', {}, 'Not known'),
    element('ul', { class: 'lineage-losses' }, ...rows),
  );
}
