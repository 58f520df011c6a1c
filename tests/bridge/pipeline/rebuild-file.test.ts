import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFileHasher } from '../../../bridge/local/hash-file.ts';
import { createMemoryLedger } from '../../../bridge/local/ledger.ts';
import type { PipelineEvent } from '../../../bridge/pipeline/pipeline-report.ts';
import { placeRecipe } from '../../../bridge/pipeline/place-recipe.ts';
import { rebuildFile } from '../../../bridge/pipeline/rebuild-file.ts';
import { makeModelFolder, runnerIn } from './models.ts';

const A = 'realistic_base_v1.safetensors';
const B = 'photorealism_v2.safetensors';
const merge = (models: readonly object[], more: object = {}) => ({ type: 'merge', models, ...more });

/** Makes a file again from sources under other names in another folder, and compares. */
async function rebuild(folder: string, file: string, sources: readonly string[]) {
  const moved = join(folder, 'sources');
  mkdirSync(moved, { recursive: true });
  for (const [index, name] of sources.entries())
    renameSync(
      join(folder, name),
      join(moved, name.includes('-of-') || name.endsWith('.json') ? name : `n${index}.safetensors`),
    );
  const hasher = createFileHasher();
  onTestFinished(() => hasher.close());
  const out = join(folder, 'again', 'made.safetensors');
  mkdirSync(join(folder, 'again'));
  const events: PipelineEvent[] = [];
  const report = await rebuildFile({
    file: join(folder, file),
    folders: [moved],
    out,
    threads: 1,
    memoryBytes: 2 ** 28,
    access: { ledger: createMemoryLedger(), hasher, signal: new AbortController().signal },
    onEvent: (event) => events.push(event),
  });
  return { report, events, out };
}

describe('a file that is made again', () => {
  test('its report and its progress name real files, not those of the recipe', async () => {
    const folder = makeModelFolder();
    const steps = [
      { id: 'ab', ...merge([{ path: A }, { path: B }]) },
      {
        id: 'end',
        type: 'convert',
        model: { step: 'ab' },
        output: { path: 'end.safetensors', precision: 'fp32' },
      },
    ];
    await runnerIn(folder)({ pipeline: { steps } });
    const { report, events, out } = await rebuild(folder, 'end.safetensors', [A, B]);
    expect(readFileSync(out).equals(readFileSync(join(folder, 'end.safetensors')))).toBe(true);
    const told = JSON.stringify([report, events]);
    expect(told).not.toContain('source:');
    expect(told).not.toContain('result.safetensors');
    expect(report.steps.map(({ id, path }) => [id, path])).toEqual([
      ['ab', join(folder, 'again', 'temp', 'made', 'ab.safetensors')],
      ['end', out],
    ]);
    expect(readdirSync(join(folder, 'again'))).toEqual(['made.safetensors']);
  });

  test('of a fused run with a report on a result in between', async () => {
    const folder = makeModelFolder();
    const steps = [
      {
        id: 'ab',
        ...merge([
          { path: A, weight: 0.3 },
          { path: B, weight: 0.7 },
        ]),
      },
      { id: 'look', type: 'validate', model: { step: 'ab' } },
      {
        id: 'end',
        type: 'convert',
        model: { step: 'ab' },
        output: { path: 'end.safetensors', precision: 'bf16' },
      },
    ];
    await runnerIn(folder)({ pipeline: { steps } }, { mode: 'fused' });
    const { out } = await rebuild(folder, 'end.safetensors', [A, B]);
    expect(readFileSync(out).equals(readFileSync(join(folder, 'end.safetensors')))).toBe(true);
  });

  test('from a source in several files', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    const sharded = { path: 'cut.safetensors', sharding: { max_bytes: 8000 } };
    await run({ pipeline: { steps: [{ id: 'cut', type: 'convert', model: { path: A }, output: sharded }] } });
    const parts = readdirSync(folder).filter((name) => name.startsWith('cut'));
    expect(parts.length).toBeGreaterThan(2);
    await run({ models: [{ path: 'cut.safetensors.index.json' }, { path: B }], output: 'end.safetensors' });
    rmSync(join(folder, A));
    const { out } = await rebuild(folder, 'end.safetensors', [...parts, B]);
    expect(readFileSync(out).equals(readFileSync(join(folder, 'end.safetensors')))).toBe(true);
  });
});

describe('a recipe names nothing of the machine', () => {
  const places = {
    file: '/x/mix.safetensors',
    sources: [{ path: '/models/a.safetensors', files: ['/models/a.safetensors'] }],
    target: '/made/again.safetensors',
  };
  const step = (output: unknown, path = 'source:0') => ({
    pipeline: { steps: [{ id: 'x', type: 'convert', model: { path }, output }] },
  });

  test('sources, the result and what is in between have their places', () => {
    expect(placeRecipe(step({ path: 'result.safetensors', precision: 'fp16' }), places).manifest).toEqual(
      step({ path: '/made/again.safetensors', precision: 'fp16' }, '/models/a.safetensors'),
    );
    expect(placeRecipe(step('temp/x-1.safetensors'), places).manifest).toEqual(
      step('/made/temp/again/x-1.safetensors', '/models/a.safetensors'),
    );
  });

  test.each([
    '/etc/passwd',
    '../a.safetensors',
    'temp/../../a',
    'temp/..',
    'temp/a/b',
    'source:1',
    'source:-1',
    'a',
    '',
  ])('not %j', (path) => {
    const refused = { code: 'path/outside', where: { file: '/x/mix.safetensors' } };
    expect(() => placeRecipe(step('result.safetensors', path), places)).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => placeRecipe(step(path === 'source:1' ? 'b' : path), places)).toThrow(
      expect.objectContaining(refused),
    );
  });

  test.each([
    ['/made/again.safetensors', true],
    ['/models/a.safetensors', true],
    ['/made/again-00001-of-00002.safetensors', true],
    ['/made/temp/again/ab.safetensors', true],
    ['temp/again/loop[2].ab.safetensors', true],
    ['/made/other.safetensors', false],
    ['/made/other-00001-of-00002.safetensors', false],
    ['/made/again-x/../../etc/passwd', false],
    ['/made/temp/again/../x', false],
    ['/made/temp/again', false],
    ['/models/b.safetensors', false],
  ])('a run may come to %s: %s', (path, isAllowed) => {
    const { pathOf } = placeRecipe(step('result.safetensors'), places);
    if (isAllowed) expect(pathOf(path)).toMatch(/^\/(made|models)\//);
    else expect(() => pathOf(path)).toThrow(expect.objectContaining({ code: 'path/outside' }));
  });
});
