import { READERS } from './readers/index.ts';
import type { Receipt, ReceiptRow } from './receipt.ts';

/** Columns of a terminal, one space between: mark, reader, sees, loses. 110 in all. */
const WIDTHS = [1, 17, 38, 51] as const;
const NAMES: ReadonlyMap<string, string> = new Map(READERS.map((reader) => [reader.id, reader.name]));

/**
 * A receipt for people: one block a reader, at most 110 columns wide, plain text without colours.
 * `✓` everything meant is seen, `~` something is lost, `✗` nothing is seen.
 *
 * @returns lines joined by a newline, none at the end
 */
export function formatReceiptTable(receipt: Receipt): string {
  return [...block(['', 'reader', 'sees', 'loses']), ...receipt.flatMap((row) => block(cellsOf(row)))].join(
    '\n',
  );
}

type Cells = readonly [string, string, string, string];

function cellsOf({ reader, sees, loses }: ReceiptRow): Cells {
  const mark = loses.length === 0 ? '✓' : sees.length === 0 ? '✗' : '~';
  const byReason = Map.groupBy(loses, ({ why }) => why);
  const lost = Array.from(
    byReason,
    ([why, same]) => `${same.map(({ what }) => what).join(', ')}: ${why}`,
  ).join('\n');
  return [mark, NAMES.get(reader) ?? reader, sees.join(', ') || 'nothing', lost || 'nothing'];
}

function block(cells: Cells): string[] {
  const columns = cells.map((cell, at) => wrap(cell, WIDTHS[at] ?? 1));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((lines, at) => pad(lines[row] ?? '', WIDTHS[at] ?? 1))
      .join(' ')
      .trimEnd(),
  );
}

/** Breaks at spaces, and inside a word only where the word is wider than the column. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ').flatMap((one) => pieces(one, width))) {
      const longer = line === '' ? word : `${line} ${word}`;
      if (columnsOf(longer) <= width) line = longer;
      else {
        lines.push(line);
        line = word;
      }
    }
    lines.push(line);
  }
  return lines;
}

function pieces(word: string, width: number): string[] {
  const parts: string[] = [''];
  for (const char of word) {
    const last = parts.at(-1) ?? '';
    if (columnsOf(last + char) <= width) parts[parts.length - 1] = last + char;
    else parts.push(char);
  }
  return parts;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

/** Wide and full-width blocks, and what shows as an emoji. @see https://www.unicode.org/reports/tr11/ */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Terminal columns: East Asian characters and emoji take two. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += WIDE.test(char) ? 2 : 1;
  return columns;
}
