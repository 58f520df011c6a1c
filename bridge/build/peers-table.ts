/** A row of `tests/bench/results.csv`: version, section, metric, value, unit, goal. */
type Row = { readonly name: string; readonly value: string; readonly unit: string; readonly goal: string };

/** A cell of the table of budgets: `key fields in 64 KiB, Civitai: ours`. */
const CELL = /^key fields in (?<budget>\d+) KiB, (?<reader>.+): (?<whose>ours|the predecessor)$/;
/** One picture of many; their median has a row. */
const ONE_OF_MANY = /^PNG, /;

const HEAD = [
  '`npm run bench:peers -- --python PY --comfyui PATH --predecessor PATH --csv`, then `npm run generate`: each peer runs in turns with',
  'ours, in the same run on the same machine.',
  '',
  '| beside the peers | measured | goal |',
  '|---|---|---|',
];

/**
 * README's tables of what `npm run bench:peers -- --csv` measured: a line for each row of the section `peers`, and the
 * key fields by reader and budget, ours before the predecessor's. Single pictures stay in the file.
 *
 * @param csv the whole of `tests/bench/results.csv`
 */
export function peersTables(csv: string): string[] {
  const rows = rowsOf(csv, 'peers');
  const lines = rows
    .filter(({ name }) => !CELL.test(name) && !ONE_OF_MANY.test(name))
    .map(({ name, value, unit, goal }) => `| ${name} | ${[value, unit].join(' ').trim()} | ${goal} |`);
  return [...HEAD, ...lines, ...budgetTable(rows)];
}

function budgetTable(rows: readonly Row[]): string[] {
  const cells = new Map<string, string>();
  const [budgets, readers] = [new Set<string>(), new Set<string>()];
  for (const { name, value } of rows) {
    const { budget, reader, whose } = CELL.exec(name)?.groups ?? {};
    if (budget === undefined || reader === undefined) continue;
    budgets.add(budget);
    readers.add(reader);
    cells.set(`${budget} ${reader} ${whose}`, value);
  }
  if (cells.size === 0) return [];
  const share = (budget: string, reader: string, whose: string): string =>
    `${Math.round(100 * Number(cells.get(`${budget} ${reader} ${whose}`)))}`;
  return [
    '',
    `| 20 key fields in a JPEG, % that a reader finds: ours / the predecessor | ${[...budgets].map((budget) => `${budget} KiB`).join(' | ')} |`,
    `|---|${'---|'.repeat(budgets.size)}`,
    ...[...readers].map((reader) => {
      const pairs = [...budgets].map((budget) =>
        ['ours', 'the predecessor'].map((whose) => share(budget, reader, whose)).join(' / '),
      );
      return `| ${reader} | ${pairs.join(' | ')} |`;
    }),
  ];
}

function rowsOf(csv: string, section: string): Row[] {
  return csv.split('\n').flatMap((line) => {
    const [, name, metric = '', value = '', unit = '', goal = ''] = fieldsOf(line);
    if (name !== section) return [];
    // Three digits of a large number are written as 1.15e+3.
    return [{ name: metric, value: value.includes('e') ? String(Number(value)) : value, unit, goal }];
  });
}

/** A field is plain, or in quotes with quotes doubled (RFC 4180). */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  );
}
