import { expect, test } from 'vitest';
import { typesMatch } from '../../../../bridge/embedded/validation/type-match.ts';

// The cases of ComfyUI's rule, comfy_execution/validation.py of 618b803d, told in reference words; validation.json
// holds what the real one answers for most of them.
test.each([
  ['IMAGE', 'IMAGE', true],
  ['IMAGE', 'MASK', false],
  ['*', 'MASK', true],
  ['MASK', '*', true],
  ['IMAGE,MASK', 'MASK', true],
  ['MASK', 'IMAGE , MASK', true],
  ['INT,FLOAT', 'FLOAT,STRING', true],
  ['INT,FLOAT', 'STRING,BOOLEAN', false],
  ['INT,*', 'STRING', true],
  ['IMAGE', 'IMAGE2', false],
  ['', '', true],
  ['', 'IMAGE', false],
  ['COMFY_MATCHTYPE_V3', 'LATENT', true],
  ['LATENT', 'COMFY_MATCHTYPE_V3', true],
  [['a', 'b'], 'COMBO', true],
  [['a', 'b'], ['a', 'b'], true],
  [['a', 'b'], ['b', 'a'], false],
  [['a', 'b'], '*', true],
  ['COMBO', ['a', 'b'], false],
  [['a', 'b'], 'STRING', false],
  ['a', ['a'], false],
] as const)('%j into %j: %s', (received, wanted, expected) => {
  expect(typesMatch(received, wanted)).toBe(expected);
});
