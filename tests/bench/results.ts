import { readFileSync, writeFileSync } from 'node:fs';
import manifest from '../../package.json' with { type: 'json' };
import type { Measurement } from './measure.ts';

/** A measurement, and the part of the table it stands in. */
export type Result = Measurement & { readonly section: string };

const FILE = new URL('results.csv', import.meta.url);
const HEAD = 'version,section,metric,value,unit,goal';

/**
 * Writes results.csv: a row a measurement, without dates. Rows take the place of those of their sections, the others
 * stay, so the difference shows what changed.
 */
export function writeResults(results: readonly Result[]): void {
  const sections = new Set(results.map(({ section }) => section));
  const others = readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && line !== HEAD && !sections.has(line.split(',', 2)[1] ?? ''));
  const lines = results.map(({ section, name, value, unit, goal = '' }) =>
    [manifest.version, section, quote(name), value.toPrecision(3), unit, quote(goal)].join(','),
  );
  writeFileSync(FILE, `${[HEAD, ...others, ...lines].join('\n')}\n`);
}

function quote(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
