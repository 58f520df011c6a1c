import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { findSaveNodes } from '../../nodes/metadata/save-nodes.ts';
import { rulePacks } from '../../rules/index.gen.ts';

/** A folder of prompt graphs recorded by ComfyUI's front end; not part of this repository. */
const folder = process.env['LINEAGE_CORPUS'];
const files =
  folder !== undefined && existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('.json'))
        .sort()
    : [];
if (files.length === 0) console.info('skipped: the corpus (set LINEAGE_CORPUS to a folder of prompt graphs)');

const book = createRuleBook(rulePacks);

/** Class types that take a text, a number of steps or a seed, by the names of their inputs: independent of our rules. */
function mentions(
  inputs: readonly Readonly<Record<string, unknown>>[],
  ...names: readonly string[]
): boolean {
  return inputs.some((each) => names.some((name) => each[name] !== undefined));
}

describe.skipIf(files.length === 0)('the corpus', () => {
  test.each(files)('%s', (name) => {
    const { warn, list } = createWarningLog();
    const document = parseExactJson(readFileSync(join(folder ?? '', name), 'utf8'), warn);
    const graph = parsePromptGraph(document, warn);
    const inputs = [...graph.values()].map((node) => Object.fromEntries(node.literals));
    const saveNodes = findSaveNodes(graph, book);
    for (const { id } of saveNodes) {
      const learnt = learn(graph, id, book, { select: 'range', maxSamplers: 4 }, warn);
      expect(learnt.unknown).toEqual([]);
      const text = renderParameters(toParameters(learnt, new Map(), {}, warn));
      if (learnt.picture.source) continue;
      expect(learnt.samplers.length).toBeGreaterThan(0);
      if (mentions(inputs, 'steps', 'sigmas')) expect(text).toMatch(/^Steps: \d+, /m);
      if (mentions(inputs, 'seed', 'noise_seed')) expect(text).toMatch(/, Seed: \d+/);
      const wrote = inputs.some((each) => typeof each['text'] === 'string' && each['text'].trim() !== '');
      if (wrote) expect(text.split('\nNegative prompt:')[0]).not.toBe('');
      expect(text).not.toMatch(/: (None|N\/A|null|undefined|NaN)(,|$)/m);
    }
    // Overlapping, capped or reference-only samplers are how some of these graphs are meant.
    expect(list.filter(({ code }) => code.startsWith('graph/'))).toEqual([]);
  });
});
