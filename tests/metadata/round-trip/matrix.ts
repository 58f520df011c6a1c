import { cases, variants } from './cases.ts';
import { agrees, type Cell, exceptions, isExcepted } from './exceptions.ts';

/** Where the matrix is kept. */
export const MATRIX = new URL('../../../fixtures/texts/matrix.md', import.meta.url);

/** A row a reader, a column a way of writing: how many cells come out right, of those that the reader can hold. */
export function renderRows(cells: readonly Cell[]): readonly string[] {
  const readers = new Set(cells.map(({ reader }) => reader));
  return [...readers].map((reader) => {
    const own = cells.filter((cell) => cell.reader === reader);
    const columns = variants.map(({ name }) =>
      count(own.filter(({ picture }) => picture.variant.name === name)),
    );
    return `| ${[reader, ...columns, count(own)].join(' | ')} |`;
  });
}

function count(cells: readonly Cell[]): string {
  const possible = cells.filter((cell) => !exceptions.some((row) => isExcepted(row, cell)));
  if (possible.length === 0) return '-';
  const left = cells.length - possible.length;
  return `${possible.filter(agrees).length}/${possible.length}${left > 0 ? ` (${left} cannot)` : ''}`;
}

/** The whole document. */
export function renderMatrix(cells: readonly Cell[]): string {
  const line = (words: readonly string[]): string => `| ${words.join(' | ')} |`;
  const head = ['reader', ...variants.map(({ name }) => name), 'all'];
  const reasons = exceptions.map((row) => {
    const held = cells.filter((cell) => isExcepted(row, cell));
    return line([row.readers.join(', '), String(held.length), row.reason.replaceAll('|', '\\|')]);
  });
  return [
    '# What readers see of the texts',
    '',
    'Made by `node tests/metadata/round-trip/write-matrix.ts`; not to be edited.',
    '',
    `${cases.length} pairs of prompts, of the texts in \`adversarial.json\` as positive prompt and some as negative too, are`,
    'written in each format and each stage of a JPEG, and read back. A cell is one thing that a reader should see of one file:',
    'the text, the graphs and the record for foreign programs; prompts, details, size and graphs for the restated readers. Each',
    'number is cells right / cells that the reader can hold at all. Why the others cannot be held stands below, row by row as in',
    '`exceptions.json`.',
    '',
    line(head),
    line(head.map(() => '---')),
    ...renderRows(cells),
    '',
    '| reader | cells | why it cannot |',
    '| --- | --- | --- |',
    ...reasons,
    '',
  ].join('\n');
}
