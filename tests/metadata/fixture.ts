import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { findHints } from '../../nodes/metadata/hints.ts';
import { type LearnOptions, learn } from '../../nodes/metadata/learn.ts';
import { findPin } from '../../nodes/metadata/pin.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import type { RulePack } from '../../rules/define.ts';
import { rulePacks } from '../../rules/index.gen.ts';

const ROOT = new URL('../../fixtures/prompts/', import.meta.url);

type CaseFile = {
  readonly case: string | number;
  readonly covers: string;
  readonly read: string;
  readonly saveNode: string;
  readonly options?: Partial<LearnOptions>;
};

export const fixtureNames: readonly string[] = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Reads one fixture folder. */
export function openFixture(name: string) {
  const folder = new URL(`${name}/`, ROOT);
  const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
  const readIfThere = (file: string): string | undefined =>
    existsSync(new URL(file, folder)) ? read(file) : undefined;
  return { read, readIfThere, about: JSON.parse(read('case.json')) as CaseFile };
}

/** Traces a fixture as `lineage trace` would, with the rule pack that lies in its folder. */
export function learnFixture(name: string) {
  const { read, readIfThere, about } = openFixture(name);
  const { warn, list } = createWarningLog();
  const graph = parsePromptGraph(parseExactJson(read('prompt.json'), warn), warn);
  const own = readIfThere('rules.json');
  const packs = own === undefined ? rulePacks : [...rulePacks, JSON.parse(own) as RulePack];
  const workflow = readIfThere('workflow.json');
  const marked: unknown = workflow === undefined ? undefined : JSON.parse(workflow);
  const pinned = findPin(marked, 'sampler');
  const options: LearnOptions = {
    select: 'range',
    maxSamplers: 4,
    hints: findHints(marked),
    ...(pinned !== undefined && { pinned }),
    ...about.options,
  };
  return { learnt: learn(graph, about.saveNode, createRuleBook(packs), options, warn), warn, warnings: list };
}
