import { describe, expect, test } from 'vitest';
import { ExactNumber, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { allFacts } from '../../nodes/metadata/learn.ts';
import { asText } from '../../nodes/metadata/operations.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { fixtureNames, learnFixture, openFixture } from './fixture.ts';

type ExpectedField = { field: string; value: unknown; nodeId: string; sampler: string | null };
type Expected = {
  samplers: Readonly<Record<string, unknown>>[];
  primary: string | null;
  fields: ExpectedField[];
  absent?: { field: string; sampler: string | null }[];
  warnings: string[];
  unknown: unknown[];
  dangling: unknown[];
  size?: string;
};

const told = ({ field, value, nodeId, sampler }: ExpectedField): string =>
  `${sampler ?? 'picture'} ${field} ${value instanceof ExactNumber ? value.text : asText(value as string)} <- ${nodeId}`;

describe.each(fixtureNames)('fixtures/prompts/%s', (name) => {
  const { read, about } = openFixture(name);
  const expected = parseExactJson(read('expected.json'), () => {}) as unknown as Expected;
  const { learnt, warn, warnings } = learnFixture(name);

  test('says which case it covers and where that was read', () => {
    expect(about.covers).not.toBe('');
    expect(about.read).not.toBe('');
  });

  test('lists the samplers', () => {
    const samplers = learnt.samplers.map(({ sourceRuleIds, distance, ...entry }) => {
      expect(sourceRuleIds).not.toEqual([]);
      expect(distance).toBeGreaterThan(0);
      return entry;
    });
    expect(samplers).toEqual(expected.samplers);
    expect(learnt.primary?.nodeId ?? null).toBe(expected.primary);
  });

  test('captures the fields', () => {
    const facts = allFacts(learnt);
    const names = new Set(expected.fields.map(({ field, sampler }) => `${sampler} ${field}`));
    const listed = facts.filter(({ field, sampler }) => names.has(`${sampler} ${field}`));
    expect(listed.map((fact) => told(fact)).sort()).toEqual(expected.fields.map(told).sort());
    const absent = new Set(expected.absent?.map(({ field, sampler }) => `${sampler} ${field}`));
    expect(facts.filter(({ field, sampler }) => absent.has(`${sampler} ${field}`))).toEqual([]);
    const { size } = learnt.picture;
    if (expected.size) expect(size && `${size.width}x${size.height}`).toBe(expected.size);
  });

  test('every path leads to the save node', () => {
    for (const fact of allFacts(learnt)) {
      expect(fact.path().at(-1)).toBe(about.saveNode);
      expect(fact.path()).toContain(fact.nodeId);
    }
  });

  test('warns of what it must, and of nothing else', () => {
    toParameters(learnt, new Map(), {}, warn);
    expect(warnings.map(({ code }) => code).sort()).toEqual(expected.warnings);
    expect(learnt.unknown).toEqual(expected.unknown);
    expect(learnt.dangling).toEqual(expected.dangling);
  });

  test('renders the parameters', () => {
    expect(renderParameters(toParameters(learnt, new Map(), {}, () => {}))).toBe(read('parameters.txt'));
  });
});
