import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRuleStore } from '../../../bridge/local/rule-store.ts';
import type { Host } from '../../../nodes/kit/host.ts';
import rulesSave from '../../../nodes/metadata/rules/rules-save.node.ts';
import rulesView from '../../../nodes/metadata/rules/rules-view.node.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lineage-rules-'));
});
afterEach(() => rm(home, { recursive: true }));

const warned: string[] = [];
const warn = (message: string, file: string): void => void warned.push(`${file}: ${message}`);
const rules = (...names: string[]): string =>
  `version: 1\nnodes:\n${names.map((name) => `  ${name}: { role: patch }\n`).join('')}`;

function hostOf(store: ReturnType<typeof createRuleStore>): Host {
  return {
    prompt: {},
    extraPnginfo: {},
    nodeId: '1',
    signal: new AbortController().signal,
    models: {
      find: async () => ({ found: false, reason: 'unconfigured' }),
      hash: async () => Promise.reject(),
    },
    rules: store,
    now: new Date(0),
    log: () => {},
    writeOutput: async () => Promise.reject(new Error('nothing is written')),
  };
}
const OPTIONS = {
  mode: 'append',
  replace_conflicts: false,
  backup: true,
  keep_backups: 2,
  restore: '',
} as const;

describe('the order in which files count', () => {
  test('those named at the start, then the folder by name, what nodes saved last; other files are left alone', async () => {
    const folder = join(home, 'rules');
    await mkdir(folder);
    for (const name of ['b.yaml', 'a.json', 'z.yml', 'saved-by-nodes.json', 'notes.txt', '.hidden.yaml'])
      await writeFile(join(folder, name), name);
    await writeFile(join(home, 'named.yaml'), 'named');
    const store = createRuleStore(folder, [join(home, 'named.yaml')]);
    const files = await store.read(warn);
    expect(files.map(({ text }) => text)).toEqual([
      'named',
      'a.json',
      'b.yaml',
      'z.yml',
      'saved-by-nodes.json',
    ]);
    expect(await store.read(warn), 'the same list while nothing changed').toBe(files);
    await writeFile(join(folder, 'b.yaml'), 'other text');
    expect((await store.read(warn)).map(({ text }) => text)).toContain('other text');
  });

  test('no folder is no rules; a named file that is missing is warned of', async () => {
    expect(await createRuleStore(join(home, 'none')).read(warn)).toEqual([]);
    warned.length = 0;
    expect(await createRuleStore(join(home, 'none'), [join(home, 'gone.yaml')]).read(warn)).toEqual([]);
    expect(warned.join()).toContain('gone.yaml');
  });
});

describe('LineageRulesSave', () => {
  const saved = async (): Promise<string[]> => {
    const { nodes } = JSON.parse(await readFile(join(home, 'saved-by-nodes.json'), 'utf8'));
    return Object.keys(nodes).sort();
  };

  test('appends, keeps what is there, replaces, restores, and keeps so many backups', async () => {
    await writeFile(join(home, 'mine.yaml'), rules('Mine'));
    const host = hostOf(createRuleStore(home));
    const save = (text: string, more: object = {}) =>
      rulesSave.run({ ...OPTIONS, rules: text, ...more }, host);
    const status = async (text: string, more: object = {}) => (await save(text, more)).outputs.status;

    expect(await status(rules('A'))).toBe('saved 1 new rules');
    expect(await status(rules('A', 'B'))).toMatch(
      /^saved 1 new rules, 1 that were there kept as they were; backup \d/,
    );
    expect(await saved()).toEqual(['A', 'B']);
    await save(rules('C'), { mode: 'replace' });
    expect(await saved()).toEqual(['C']);
    expect(await status('', { restore: 'newest' })).toMatch(/^restored /);
    expect(await saved()).toEqual(['A', 'B']);
    expect(await readdir(join(home, 'backups')), 'no more than keep_backups').toHaveLength(2);
    expect(await readFile(join(home, 'mine.yaml'), 'utf8'), "the owner's own file").toBe(rules('Mine'));
  });

  test('a conflict is replaced when asked for', async () => {
    const host = hostOf(createRuleStore(home));
    await rulesSave.run({ ...OPTIONS, rules: rules('A') }, host);
    const other = 'version: 1\nnodes: { A: { role: latent } }';
    await rulesSave.run({ ...OPTIONS, rules: other }, host);
    const role = async () =>
      JSON.parse(await readFile(join(home, 'saved-by-nodes.json'), 'utf8')).nodes.A.role;
    expect(await role()).toBe('patch');
    await rulesSave.run({ ...OPTIONS, rules: other, replace_conflicts: true }, host);
    expect(await role()).toBe('latent');
  });

  test.each([
    ['bad rules', { rules: 'version: 1\nnodes: { A: { role: no } }' }, 'rules/malformed'],
    ['a backup that is none', { rules: '', restore: '../mine.yaml' }, 'rules/no-backup'],
  ])('%s are refused, and nothing is written', async (_, more, code) => {
    await writeFile(join(home, 'mine.yaml'), rules('Mine'));
    const run = rulesSave.run({ ...OPTIONS, ...more }, hostOf(createRuleStore(home)));
    await expect(run).rejects.toMatchObject({ code });
    expect(await readdir(home)).toEqual(['mine.yaml']);
  });
});

test('LineageRulesView shows the files in their order, and what is wrong in them', async () => {
  await writeFile(join(home, 'a.yaml'), rules('Alpha', 'Beta'));
  await writeFile(join(home, 'b.yaml'), 'version: 1\nnodes: { C: { roll: patch } }');
  const { outputs } = await rulesView.run({ find: 'alp' }, hostOf(createRuleStore(home)));
  expect(outputs.text).toContain('"Alpha": {"role":"patch"}');
  expect(outputs.text).not.toContain('"Beta"');
  expect(outputs.text).toMatch(/b\.yaml:2:15: error: nodes\.C: expected a known key, perhaps "role"/);
});
