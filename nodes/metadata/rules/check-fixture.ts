import { ExactNumber, parseExactJson } from '../../kit/exact-json.ts';
import { isRecord } from '../../kit/is-record.ts';
import { createWarningLog } from '../../kit/warning-log.ts';
import { parsePromptGraph } from '../graph.ts';
import { findHints } from '../hints.ts';
import { renderParameters } from '../infotext.ts';
import { allFacts, type LearnOptions, learn } from '../learn.ts';
import { asText } from '../operations.ts';
import { toParameters } from '../parameters.ts';
import { findPin } from '../pin.ts';
import type { RuleBook } from '../rule-book.ts';
import { DEFAULT_MAX_SAMPLERS, SELECT_METHODS } from '../samplers.ts';
import { chooseSaveNode } from '../save-nodes.ts';

/** The files of one folder, as `fixtures/README.md` lays them out; all but the graph may be missing. */
export type RuleFixture = {
  readonly prompt: string;
  readonly workflow?: string;
  readonly case?: string;
  readonly expected?: string;
  readonly parameters?: string;
};

/** What a fixture's graph says, beside what was expected of it. */
export type CheckedFixture = {
  /** One line each; empty where all that is expected is so. */
  readonly differences: readonly string[];
  /** The text that the picture would carry. */
  readonly parameters: string;
};

/**
 * Traces a fixture and compares it with what its files expect. Members of `expected.json` that are not there are not
 * compared.
 *
 * @throws LineageError of reading the graph, and of the choice of save node
 */
export function checkFixture(fixture: RuleFixture, book: RuleBook): CheckedFixture {
  const { warn, list: warnings } = createWarningLog();
  const graph = parsePromptGraph(parseExactJson(fixture.prompt, warn), warn);
  const about = readRecordOf(fixture.case);
  const expected = readRecordOf(fixture.expected);
  const { saveNode } = about;
  const chosen = chooseSaveNode(graph, book, typeof saveNode === 'string' ? saveNode : undefined);
  const learnt = learn(graph, chosen, book, optionsOf(about['options'], fixture.workflow), warn);
  const parameters = renderParameters(toParameters(learnt, new Map(), {}, warn));

  const differences: string[] = [];
  const compare = (what: string, want: unknown, got: unknown): void => {
    if (want === undefined || spell(want) === spell(got)) return;
    differences.push(`${what}: expected ${spell(want)}, got ${spell(got)}`);
  };
  const samplers = learnt.samplers.map(({ sourceRuleIds: _, distance: __, ...entry }) => entry);
  compare('samplers', expected['samplers'], samplers);
  compare('primary', expected['primary'], learnt.primary?.nodeId ?? null);
  compareFields(expected, allFacts(learnt), differences);
  compare('warnings', expected['warnings'], warnings.map(({ code }) => code).sort());
  compare('unknown', expected['unknown'], learnt.unknown);
  compare('dangling', expected['dangling'], learnt.dangling);
  const { size } = learnt.picture;
  compare('size', expected['size'], size && `${size.width}x${size.height}`);
  compare('parameters', fixture.parameters, parameters);
  return { differences, parameters };
}

type Told = {
  readonly field: unknown;
  readonly sampler: unknown;
  readonly value?: unknown;
  readonly nodeId?: unknown;
};

/** Of each pair of field and sampler that is listed, all values; and none of a pair that must be absent. */
function compareFields(
  expected: Readonly<Record<string, unknown>>,
  facts: ReturnType<typeof allFacts>,
  differences: string[],
): void {
  const wanted = recordsIn(expected['fields']);
  const pair = ({ field, sampler }: Told): string => `${sampler ?? 'picture'} ${field}`;
  const tell = (fact: Told): string => `${pair(fact)} ${valueText(fact.value)} <- ${fact.nodeId}`;
  const pairs = new Set(wanted.map(pair));
  const want = wanted.map(tell);
  const got = facts.filter((fact) => pairs.has(pair(fact))).map(tell);
  for (const line of without(want, got)) differences.push(`fields: expected ${line}`);
  for (const line of without(got, want)) differences.push(`fields: did not expect ${line}`);
  const absent = new Set(recordsIn(expected['absent']).map(pair));
  for (const fact of facts)
    if (absent.has(pair(fact))) differences.push(`absent: did not expect ${tell(fact)}`);
}

/** What of a list is left when the other is taken out, each entry once. */
function without(list: readonly string[], taken: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const each of taken) counts.set(each, (counts.get(each) ?? 0) + 1);
  return list.filter((each) => {
    const count = counts.get(each) ?? 0;
    counts.set(each, count - 1);
    return count <= 0;
  });
}

function recordsIn(list: unknown): readonly Told[] {
  return (Array.isArray(list) ? list : [])
    .filter(isRecord)
    .map(({ field, sampler, value, nodeId }) => ({ field, sampler, value, nodeId }));
}

function readRecordOf(text: string | undefined): Readonly<Record<string, unknown>> {
  const value: unknown = text === undefined ? {} : parseExactJson(text, () => {});
  return isRecord(value) ? value : {};
}

function optionsOf(options: unknown, workflow: string | undefined): LearnOptions {
  const { select, sampler, maxSamplers } = isRecord(options) ? options : {};
  const marked: unknown = workflow === undefined ? undefined : parseExactJson(workflow, () => {});
  const pinned = findPin(marked, 'sampler');
  return {
    select: SELECT_METHODS.find((method) => method === select) ?? 'range',
    maxSamplers: typeof maxSamplers === 'number' ? maxSamplers : DEFAULT_MAX_SAMPLERS,
    hints: findHints(marked),
    ...(typeof sampler === 'string' && { sampler }),
    ...(pinned !== undefined && { pinned }),
  };
}

/** A number as it was spelled, which a fixture may give as text. */
function valueText(value: unknown): string {
  if (value instanceof ExactNumber) return value.text;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? asText(value)
    : spell(value);
}

/** As JSON, members in one order, so that equal things are spelled alike. */
function spell(value: unknown): string {
  return (
    JSON.stringify(value, (_key, each: unknown) => {
      if (each instanceof ExactNumber) return Number(each.text);
      return isRecord(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
        : each;
    }) ?? 'nothing'
  );
}
