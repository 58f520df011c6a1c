/**
 * The rows of the Markdown table with this head in a section (`## title`), cells trimmed, the backticks around the
 * first cell taken off and `\|` read as `|`.
 */
export function readTable(markdown: string, title: string, head: readonly string[]): string[][] {
  const section = markdown.split(/^## /m).find((each) => each.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`no section "${title}"`);
  const lines = section.split('\n');
  const at = lines.findIndex((line) => cells(line).join('|') === head.join('|'));
  if (at < 0) throw new Error(`no table "${head.join(' | ')}" in section "${title}"`);
  const rows: string[][] = [];
  for (const line of lines.slice(at + 2)) {
    if (!line.startsWith('|')) break;
    const [first = '', ...rest] = cells(line);
    rows.push([first.replace(/^`(.*)`$/, '$1'), ...rest]);
  }
  return rows;
}

/** `| a | b |` → a, b */
function cells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
