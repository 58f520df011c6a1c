import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { readA1111Recipe } from '../../../nodes/merge/provenance/a1111-recipe.ts';
import { parseMechaRecipe } from '../../../nodes/merge/provenance/mecha-recipe.ts';
import { readMergekitConfig } from '../../../nodes/merge/provenance/mergekit-config.ts';
import { showRecipeTree } from '../../../nodes/merge/provenance/recipe-tree.ts';

// What sd_mecha.serialize (1.1.8, finalize=False) wrote of weighted_sum(weighted_sum(a, b, alpha=0.25), c, alpha=0.5).
const MECHA = String.raw`version 0.1.0
model "a \"odd\".safetensors" model_config=null merge_space="weight"
model "sub/b.safetensors" model_config=null merge_space="weight"
dict key=0.25
literal &2 model_config="singleton-mecha" merge_space=null
merge "convert_singleton" &3
merge "weighted_sum" &0 &1 &4
model "c.safetensors" model_config=null merge_space="weight"
dict key=0.5
literal &7 model_config="singleton-mecha" merge_space=null
merge "convert_singleton" &8
merge "weighted_sum" &5 &6 &9`;

test('a recipe of sd-mecha', () => {
  expect(showRecipeTree(parseMechaRecipe(MECHA))).toBe(
    [
      'weighted_sum  (2=0.5)',
      '├─ weighted_sum  (2=0.25)',
      '│  ├─ a "odd".safetensors',
      '│  └─ b.safetensors',
      '└─ c.safetensors',
    ].join('\n'),
  );
});

test.each([
  ['', 1],
  ['version 1.0.0', 1],
  ['version 0.1.0\nmodel', 2],
  ['version 0.1.0\nmerge "x" &0', 2],
  ['version 0.1.0\nmodel "x', 2],
  ['version 0.1.0\nshell "rm"', 2],
])('what is no recipe of sd-mecha: %j', (text, line) => {
  expect(() => parseMechaRecipe(text)).toThrow(
    expect.objectContaining({ code: 'recipe/malformed', where: { line } }),
  );
});

test('a recipe that doubles with every line is shown in bounded time', () => {
  const lines = ['version 0.1.0', 'model "a.safetensors"'];
  for (let i = 0; i < 60; i++) lines.push(`merge "n_average" &${i} &${i}`);
  const shown = showRecipeTree(parseMechaRecipe(lines.join('\n')));
  expect(shown.split('\n').length).toBeLessThan(2_100);
  expect(shown).toMatch(/more than 2000 lines$/);
});

test('a name that would steer the terminal is shown, not sent', () => {
  const tree = parseMechaRecipe('version 0.1.0\nmodel "a\u001b[31m\u0007\u202eb"');
  expect(showRecipeTree(tree)).toBe('a\\u{1b}[31m\\u{7}\\u{202e}b');
});

test('only errors of ours, whatever comes', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('merge "a" &0 &1', 'model "a"', 'dict a=1', 'literal 2', 'merge "a" x=&0 y=1e3 "s"'),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        showRecipeTree(parseMechaRecipe(['version 0.1.0', ...lines].join('\n')));
      } catch (error) {
        expect(isLineageError(error)).toBe(true);
      }
    }),
  );
  fc.assert(
    fc.property(fc.json(), fc.json(), (recipe, models) => {
      readA1111Recipe(recipe, models);
      try {
        readMergekitConfig(JSON.parse(recipe));
      } catch (error) {
        expect(isLineageError(error)).toBe(true);
      }
    }),
  );
});

test('a configuration of mergekit', () => {
  const config = {
    merge_method: 'ties',
    base_model: 'org/base',
    models: [
      { model: 'org/base' },
      { model: 'org/one', parameters: { weight: 0.5, density: 0.3 } },
      { model: { model: { path: 'org/two' }, lora: { path: 'org/lora' } }, parameters: { weight: [0, 1] } },
    ],
    parameters: { normalize: true },
    dtype: 'bfloat16',
  };
  expect(showRecipeTree(readMergekitConfig(config))).toBe(
    [
      'ties  (normalize=true dtype=bfloat16)',
      '├─ base  org/base',
      '├─ org/base',
      '├─ density=0.3 0.5  org/one',
      '└─ weight=[0,1]  org/two+org/lora',
    ].join('\n'),
  );
  const stacked = {
    merge_method: 'passthrough',
    slices: [
      { sources: [{ model: 'a', layer_range: [0, 8] }] },
      { sources: [{ model: 'b', layer_range: [4, 12] }] },
    ],
  };
  expect(showRecipeTree(readMergekitConfig(stacked))).toBe(
    ['passthrough', '├─ slice 1 layers [0,8]  a', '└─ slice 2 layers [4,12]  b'].join('\n'),
  );
});

test('the keys of A1111, with a parent that was merged itself', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
  const recipe = {
    type: 'webui',
    primary_model_hash: a,
    secondary_model_hash: b,
    tertiary_model_hash: null,
    interp_method: 'Weighted sum',
    multiplier: 0.3,
    save_as_half: true,
  };
  const models = {
    [`${a}`]: { name: 'one.safetensors', legacy_hash: '00000000', sd_merge_recipe: null },
    [`${b}`]: {
      name: 'two.safetensors',
      legacy_hash: '00000000',
      sd_merge_recipe: { ...recipe, primary_model_hash: c, secondary_model_hash: b, multiplier: 0.1 },
    },
  };
  expect(showRecipeTree(readA1111Recipe(JSON.stringify(recipe), JSON.stringify(models)) ?? fail())).toBe(
    [
      'Weighted sum  (type=webui multiplier=0.3 save_as_half=true)',
      '├─ A  one.safetensors [aaaaaaaaaa]',
      '└─ B  two.safetensors [bbbbbbbbbb]  =  Weighted sum  (type=webui multiplier=0.1 save_as_half=true)',
      '   ├─ A  unknown [cccccccccc]',
      '   └─ B  two.safetensors [bbbbbbbbbb]',
    ].join('\n'),
  );
  expect(readA1111Recipe('no JSON', undefined)).toBeUndefined();
  expect(readA1111Recipe(undefined, undefined)).toBeUndefined();
});

function fail(): never {
  throw new Error('expected a recipe');
}
