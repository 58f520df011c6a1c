import type { ImageFormat } from '../../nodes/kit/values.ts';
import type { Embedded } from '../../nodes/metadata/embed.ts';
import { READERS } from '../../nodes/metadata/readers/index.ts';
import type { Receipt } from '../../nodes/metadata/receipt.ts';
import { formatReceiptTable } from '../../nodes/metadata/receipt-table.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import type { MetaField } from '../../rules/define.ts';
import { explainText } from './explanation.ts';

/** A file to write. */
export type DemoTarget = { readonly file: string; readonly format: ImageFormat; readonly maxExifKb: number };

/** One written file, and what is known of it. */
export type DemoPicture = DemoTarget & {
  /** Where it lies. */
  readonly out: string;
  readonly record: RecordData;
  readonly embedded: Embedded;
  readonly receipt: Receipt;
};

const MAX_COLUMNS = 110;
/** The table of samplers above says these already; `explain` lists them with their paths. */
const IN_SAMPLER_TABLE: ReadonlySet<MetaField> = new Set([
  'STEPS',
  'SAMPLER_NAME',
  'SCHEDULER',
  'START_STEP',
  'END_STEP',
]);

/**
 * What the demo wrote, for people: how the first picture came to be, who sees what in each file, and the receipt of
 * the first one. About 60 lines of at most 110 columns.
 */
export function demoReport(out: string, models: number, pictures: readonly DemoPicture[]): string {
  const [first] = pictures;
  if (!first) return '';
  const graphs = new Set(pictures.map(({ record }) => record)).size;
  const blocks: readonly [heading: string, text: string][] = [
    [
      `HOW ${first.file} CAME TO BE: each value, who gave it, and its way down to the sampler`,
      explainText(shortened(first.record), ''),
    ],
    ['THE TEXT IN IT, which Civitai, A1111 and others read', wrap(first.embedded.text, '  ')],
    ['WHO SEES WHAT: ✓ all that was meant, ~ loses something, ✗ sees nothing', matrixOf(pictures)],
    [
      `RECEIPT of ${first.file}: the file read back by the rules of each reader`,
      formatReceiptTable(first.receipt),
    ],
    ['TRY NEXT', nextSteps(out, pictures)],
  ];
  return [
    `Wrote ${pictures.length} pictures for ${graphs} prompt graphs, and ${models} small stand-ins for their models, to ${out}`,
    ...blocks.map(([heading, text]) => `${heading}\n${text}`),
  ].join('\n\n');
}

/** What belongs to the samplers alone; the text has the rest, with the hashes of the files. */
function shortened(record: RecordData): RecordData {
  const fields = record.fields.filter(
    ({ field, sampler }) => sampler !== null && !IN_SAMPLER_TABLE.has(field),
  );
  return { ...record, fields, resources: [] };
}

/** Files down, readers across; their names take two lines. */
function matrixOf(pictures: readonly DemoPicture[]): string {
  const names = READERS.map(({ name }) => name.split(/ \/ |(?<=-)(?=[^-]*$)| (?=front)/));
  const rows = [
    ['', '', '', ...names.map(([first]) => first ?? '')],
    ['', 'budget', 'stage', ...names.map(([, second]) => second ?? '')],
    ...pictures.map(({ file, format, maxExifKb, embedded, receipt }) => [
      file,
      format === 'jpeg' ? `${maxExifKb} KiB` : '',
      embedded.stage,
      ...receipt.map(markOf),
    ]),
  ];
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) => `  ${row.map((cell, i) => align(cell, widths[i] ?? 0, i > 2)).join('  ')}`.trimEnd())
    .join('\n');
}

function align(cell: string, width: number, centred: boolean): string {
  return centred ? cell.padStart(Math.ceil((width + cell.length) / 2)).padEnd(width) : cell.padEnd(width);
}

function markOf({ sees, loses }: Receipt[number]): string {
  if (loses.length === 0) return '✓';
  return sees.length === 0 ? '✗' : '~';
}

function nextSteps(out: string, pictures: readonly DemoPicture[]): string {
  const named = (file: string): string => pictures.find((each) => each.file === file)?.out ?? file;
  return [
    `explain ${named('wan22-64kb.jpg')}`,
    `inspect ${named('flux-custom-sampling.webp')}`,
    `tag ${named('sdxl-base-refiner.png')} --out ${out}/copy.avif --models ${out}/models --receipt`,
  ]
    .map((rest) => `  npm run lineage -- ${rest}`)
    .join('\n');
}

/** Breaks behind spaces and commas; what follows in a paragraph is indented once more. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = indent;
    for (const word of paragraph.split(/(?<=[ ,])/)) {
      if (line.trim() !== '' && line.length + word.trimEnd().length > MAX_COLUMNS) {
        lines.push(line.trimEnd());
        line = `${indent}  `;
      }
      line += word;
    }
    lines.push(line.trimEnd());
  }
  return lines.join('\n');
}
