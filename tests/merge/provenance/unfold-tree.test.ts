import { expect, test } from 'vitest';
import { readA1111Recipe } from '../../../nodes/merge/provenance/a1111-recipe.ts';
import { parseMechaRecipe } from '../../../nodes/merge/provenance/mecha-recipe.ts';
import type { MergeRecord } from '../../../nodes/merge/provenance/merge-record.ts';
import type { RecipeTree } from '../../../nodes/merge/provenance/recipe-tree.ts';
import { recordTree } from '../../../nodes/merge/provenance/record-tree.ts';
import { unfoldTree } from '../../../nodes/merge/provenance/unfold-tree.ts';

const GENERATIONS = 60;

/** Each step merges the one before with itself. */
function doublingRecord(): MergeRecord {
  const step = (at: number) => ({ id: `s${at}`, models: [{ step: `s${at - 1}` }, { step: `s${at - 1}` }] });
  const steps = Array.from({ length: GENERATIONS }, (_, at) => step(at));
  return {
    schema: 'lineage:merge/1',
    generator: { name: 'test', version: '1' },
    engine: 1,
    mode: 'staged',
    step: `s${GENERATIONS - 1}`,
    recipe: { steps },
    sources: [],
  };
}

/** A model that is all three parents of the next. */
function triplingRecipe(): RecipeTree | undefined {
  const recipe = (at: number) => ({
    primary_model_hash: `h${at}`,
    secondary_model_hash: `h${at}`,
    tertiary_model_hash: `h${at}`,
  });
  const models = Array.from({ length: GENERATIONS }, (_, at) => [
    `h${at}`,
    { name: `m${at}`, sd_merge_recipe: recipe(at + 1) },
  ]);
  return readA1111Recipe(JSON.stringify(recipe(0)), JSON.stringify(Object.fromEntries(models)));
}

function doublingMecha(): RecipeTree {
  const merges = Array.from({ length: GENERATIONS }, (_, at) => `merge "n_average" &${at} &${at}`);
  return parseMechaRecipe(['version 0.1.0', 'model "a"', ...merges].join('\n'));
}

test.each([
  ['a record', () => recordTree(doublingRecord(), { kind: 'file', name: 'x' })],
  ["A1111's keys", triplingRecipe],
  ["sd-mecha's text", doublingMecha],
])('%s whose every generation uses the one before more than once unfolds to some megabytes', (_, make) => {
  const start = performance.now();
  const tree = make();
  const json = JSON.stringify(tree && unfoldTree(tree));
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(json.length).toBeGreaterThan(100_000);
  expect(json.length).toBeLessThan(8_000_000);
  expect(json).toContain('…');
});

test('a dict of dicts that doubles with every line is cut', () => {
  const dicts = Array.from({ length: GENERATIONS }, (_, at) => `dict a=&${at} b=&${at}`);
  const text = ['version 0.1.0', 'dict a="x" b="y"', ...dicts, `merge "n" &${GENERATIONS}`].join('\n');
  expect(JSON.stringify(parseMechaRecipe(text)).length).toBeLessThan(2_000);
});

test('a tree that is no larger than that stays as it is', () => {
  const leaf = { kind: 'file', name: 'a' } as const;
  const tree: RecipeTree = {
    kind: 'operation',
    name: 'slerp',
    params: [['t', '0.5']],
    inputs: [
      { role: 'A', of: leaf },
      { weight: 2, of: { kind: 'operation', name: 'n', params: [], inputs: [{ of: leaf }] } },
    ],
  };
  expect(unfoldTree(tree)).toEqual(tree);
});

test('a long name in ten thousand places is cut', () => {
  const text = ['version 0.1.0', `model "${'n'.repeat(1_000_000)}"`, `merge "n"${' &0'.repeat(10_000)}`].join(
    '\n',
  );
  expect(JSON.stringify(unfoldTree(parseMechaRecipe(text))).length).toBeLessThan(5_000_000);
});

test('parameters of some megabytes are cut', () => {
  const params = Array.from({ length: 9_000 }, (_, at) => [`p${at}`, 'v'.repeat(1_000)] as const);
  const unfolded = unfoldTree({ kind: 'operation', name: 'n', params, inputs: [] });
  expect(JSON.stringify(unfolded).length).toBeLessThan(5_000_000);
});
