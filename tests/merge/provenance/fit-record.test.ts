import { expect, test } from 'vitest';
import { fitRecord } from '../../../nodes/merge/provenance/fit-record.ts';
import type { MergeRecord, MergeSource } from '../../../nodes/merge/provenance/merge-record.ts';

function record(...sources: readonly MergeSource[]): MergeRecord {
  return {
    schema: 'lineage:merge/1',
    generator: { name: 'lineage-nodes', version: '0.1.0' },
    engine: 1,
    mode: 'staged',
    step: 'merge',
    recipe: { pipeline: { steps: [] } },
    sources: [...sources],
  };
}

function source(name: string, of?: MergeRecord): MergeSource {
  return { name, dataSha256: 'a'.repeat(64), bytes: 10, ...(of && { record: of }) };
}

const lengthOf = (value: unknown): number => JSON.stringify(value).length;

// Each is merged of the next and of a file that nothing more is known of.
const greatGrandchild = record(source('g'));
const grandchild = record(source('e', greatGrandchild), source('f'));
const child = record(source('c', grandchild), source('d'));
const family = record(source('a', child), source('b'));

test('a record that fits stays as it is', () => {
  expect(fitRecord(family)).toBe(family);
  expect(fitRecord(family, lengthOf(family))).toBe(family);
});

test('the oldest generations go first, and sources keep their hashes', () => {
  const two = record(
    source('a', record(source('c', record(source('e'), source('f'))), source('d'))),
    source('b'),
  );
  expect(fitRecord(family, lengthOf(family) - 1)).toEqual(two);
  const one = record(source('a', record(source('c'), source('d'))), source('b'));
  expect(fitRecord(family, lengthOf(two) - 1)).toEqual(one);
  const none = record(source('a'), source('b'));
  expect(fitRecord(family, lengthOf(one) - 1)).toEqual(none);
});

test('the sources themselves are never cut off, whatever the limit', () => {
  expect(fitRecord(family, 10)).toEqual(record(source('a'), source('b')));
});

test('a long line of merges, each of the one before, fits a header', () => {
  let line = record(source('first'));
  for (let index = 1; index <= 100; index++) line = record(source(`${index}-${'x'.repeat(20_000)}`, line));
  const fitted = fitRecord(line);
  expect(lengthOf(fitted)).toBeLessThanOrEqual(1024 * 1024);
  // A generation takes about 20,300 characters: 51 of them fit 1,048,576, and the record is one itself.
  let kept = 0;
  for (let each: MergeRecord | undefined = fitted; each; each = each.sources[0]?.record) kept++;
  expect(kept).toBe(51);
});
