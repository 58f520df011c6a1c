import { asText } from '../../nodes/metadata/operations.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';

/** Longer values are cut in the listing; the infotext below it has them whole. */
const MAX_SHOWN = 40;

/**
 * A record for people: the samplers, each fact with the way it took to the saved picture, the files.
 *
 * @param text the infotext; '' leaves it out
 */
export function explainText(record: Omit<RecordData, 'generator'>, text: string): string {
  const parts = [samplersOf(record)];
  const shown = record.fields.map((fact) => ({ ...fact, shown: shorten(asText(fact.value)) }));
  // One width for all the tables, so that the eye finds the same column in each.
  const fieldWidth = Math.max(0, ...shown.map(({ field }) => field.length));
  const valueWidth = Math.max(0, ...shown.map((fact) => fact.shown.length));
  for (const sampler of [...record.samplers.map(({ nodeId }) => nodeId), null]) {
    const facts = shown.filter((fact) => fact.sampler === sampler);
    if (facts.length === 0) continue;
    const rows = facts.map((fact) => [
      fact.field.padEnd(fieldWidth),
      fact.shown.padEnd(valueWidth),
      wayOf(fact, sampler),
    ]);
    parts.push(`${titleOf(sampler, facts, record)}\n${table(rows)}`);
  }
  if (record.resources.length > 0) {
    const rows = record.resources.map(({ kind, name, autoV2 }) => [kind, name, autoV2 ?? 'no hash known']);
    parts.push(`Files\n${table(rows)}`);
  }
  if (text !== '') parts.push(`Parameters\n${text.replace(/^/gm, '  ')}`);
  return parts.filter((part) => part !== '').join('\n\n');
}

function samplersOf({ samplers, primary }: Omit<RecordData, 'generator'>): string {
  const rows = samplers.map((each) => {
    const range = each.startStep === undefined ? '' : `${each.startStep}-${each.endStep ?? '?'} of `;
    const steps = each.steps === undefined ? 'unknown steps' : `${range}${each.steps} steps`;
    const name = [each.samplerName, each.scheduler].filter((part) => part !== undefined).join(', ');
    return [
      each.nodeId,
      each.classType,
      name,
      steps,
      `tier ${each.tier}`,
      each.nodeId === primary ? 'primary' : '',
    ];
  });
  return rows.length === 0 ? '' : `Samplers\n${table(rows)}`;
}

/** The way from a sampler to the picture stands here once, not on each of its facts. */
function titleOf(
  sampler: string | null,
  facts: RecordData['fields'],
  { primary, saveNode }: Omit<RecordData, 'generator'>,
): string {
  if (sampler === null) return `The picture, saved by node ${saveNode}`;
  const path = facts.find((fact) => fact.path.includes(sampler))?.path ?? [];
  const down = path.slice(path.indexOf(sampler)).join(' > ');
  return `Sampler ${sampler}${sampler === primary ? ', the primary one' : ''} (${down})`;
}

/**
 * `12 > 3 KSampler.seed`: where a value came from, then the node and input whose rule read it, then the nodes on the
 * way down to the sampler, or to the saving node for facts of the picture.
 */
function wayOf(fact: RecordData['fields'][number], sampler: string | null): string {
  const { nodeId, classType, input, path } = fact;
  const at = Math.max(0, path.indexOf(nodeId));
  const end = sampler === null ? -1 : path.indexOf(sampler);
  const down = path.slice(at + 1, end < 0 ? undefined : end + 1);
  return [...path.slice(0, at), `${nodeId} ${classType}${input === '' ? '' : `.${input}`}`, ...down].join(
    ' > ',
  );
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > MAX_SHOWN ? `${[...line].slice(0, MAX_SHOWN - 1).join('')}…` : line;
}

/** Columns as wide as their widest cell, two spaces in and between. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
