/**
 * `npm run bench:metadata`: the speed goals of the metadata room. Prints a row for each measurement, writes
 * `results.csv` beside this file and ends with 1 where a goal is missed. Takes about two minutes; ratios within one
 * run are what counts, for machines differ and are shared.
 */
import { benchHash } from './hash.ts';
import type { Measurement } from './measure.ts';
import { type Result, writeResults } from './results.ts';
import { benchSplice } from './splice.ts';
import { benchTrace } from './trace.ts';

const SECTIONS = { trace: benchTrace, splice: benchSplice, hash: benchHash };

const wanted = process.argv.slice(2);
const rows: Result[] = [];
for (const [section, run] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(section)) continue;
  console.log(`\n${section}`);
  for (const row of await run()) {
    rows.push({ section, ...row });
    console.log(toLine(row));
  }
}
// A part of the table would look like the whole.
if (wanted.length === 0) writeResults(rows);
const missed = rows.filter((row) => row.ok === false);
if (missed.length > 0) {
  console.error(`\n${missed.length} of ${rows.filter((row) => row.goal).length} goals missed`);
  process.exitCode = 1;
}

function toLine({ name, value, unit, goal, ok }: Measurement): string {
  const verdict = goal === undefined ? '' : `  goal ${goal} ${ok ? 'met' : 'MISSED'}`;
  return `  ${name.padEnd(66)} ${value.toFixed(2).padStart(9)} ${unit}${verdict}`;
}
