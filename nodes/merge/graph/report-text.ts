import { LineageError } from '../../kit/errors.ts';
import { ExactNumber } from '../../kit/exact-json.ts';
import { isRecord } from '../../kit/is-record.ts';

/** The socket type of what a run says of itself: plain data. */
export const LINEAGE_MERGE_REPORT = 'LINEAGE_MERGE_REPORT';

/**
 * A report for people, one line a step. What is missing in it is left out: it came over a link.
 * @throws LineageError `merge/graph` for what is no report
 */
export function reportText(report: unknown): string {
  if (!isRecord(report) || !Array.isArray(report['steps']))
    throw new LineageError('merge/graph', 'report: expected what Run Merge puts out, got something else', {
      input: 'report',
    });
  const head = [
    asWord(report['name']),
    sizeOf(report['bytes']),
    secondsOf(report['seconds']),
    typeof report['sha256'] === 'string' ? `sha256 ${report['sha256'].slice(0, 10)}` : undefined,
  ];
  const warnings = Array.isArray(report['warnings']) ? report['warnings'].map(asWord) : [];
  return [
    joined(head, ', '),
    ...report['steps'].map(lineOf),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

function lineOf(step: unknown): string {
  if (!isRecord(step)) return '';
  const scores = isRecord(step['scores'])
    ? Object.entries(step['scores']).map(([name, value]) => `${name} ${asWord(value)}`)
    : [];
  const facts = [asWord(step['state']), sizeOf(step['bytes']), secondsOf(step['seconds']), ...scores];
  return `${asWord(step['id'])} (${asWord(step['type'])}): ${joined(facts, ', ')}`;
}

function joined(parts: readonly (string | undefined)[], between: string): string {
  return parts.filter((part) => part !== undefined && part !== '').join(between);
}

function asWord(value: unknown): string {
  const number = numberOf(value);
  if (number !== undefined) return String(Number(number.toPrecision(6)));
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}

function numberOf(value: unknown): number | undefined {
  if (value instanceof ExactNumber) return value.value;
  return typeof value === 'number' ? value : undefined;
}

function sizeOf(value: unknown): string | undefined {
  const bytes = numberOf(value);
  if (bytes === undefined) return undefined;
  return bytes < 1e6 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function secondsOf(value: unknown): string | undefined {
  const seconds = numberOf(value);
  return seconds === undefined ? undefined : `${seconds.toFixed(1)} s`;
}
