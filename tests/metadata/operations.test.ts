import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, type Json } from '../../nodes/kit/exact-json.ts';
import { asText, compute, type SimpleOperand } from '../../nodes/metadata/operations.ts';
import type { NodeRule, Operation } from '../../rules/define.ts';
import coreRules from '../../rules/packs/comfy-core.ts';

const rules: Readonly<Record<string, NodeRule>> = coreRules.nodes;

/** Computes the only output of a core node from these inputs, as its rule says. */
function run(
  classType: keyof typeof coreRules.nodes,
  inputs: Readonly<Record<string, Json>>,
): Json | undefined {
  const rule = rules[classType];
  const operation = rule?.computes?.[0];
  if (!operation) throw new Error(`${classType} computes nothing`);
  return compute(operation, Object.keys(inputs), (operand) => lookUp(operand, inputs));
}

function lookUp(operand: SimpleOperand, inputs: Readonly<Record<string, Json>>): Json | undefined {
  return 'value' in operand ? operand.value : inputs[operand.input];
}

// The nodes are Python (comfy_extras/nodes_string.py): `strip`, `title`, `re.sub` and so on. What is expected here
// was printed by Python 3 from the same expressions, e.g.
//   python3 -c 'import re; print(ascii([" a \x85".rstrip(), "\xdfa".title(), re.sub("x*", "-", "abxd")]))'
describe('string nodes answer as Python does', () => {
  test.each([
    ['\x1c a\u3000\ufeff', 'Both', 'a\u3000\ufeff'],
    ['\x1c a\u3000\ufeff', 'Left', 'a\u3000\ufeff'],
    [' a \x85', 'Right', ' a'],
    ['  ', 'Both', ''],
  ])('StringTrim %j %s', (string, mode, expected) =>
    expect(run('StringTrim', { string, mode })).toBe(expected),
  );

  test.each([
    ["straße they're 2nd ΟΔΟΣ", 'UPPERCASE', "STRASSE THEY'RE 2ND ΟΔΟΣ"],
    ["straße they're 2nd ΟΔΟΣ", 'lowercase', "straße they're 2nd οδος"],
    ["straße They're 2nd ΟΔΟΣ", 'Capitalize', "Straße they're 2nd οδος"],
    ["straße they're 2nd ab中cd ΟΔΟΣ", 'Title Case', "Straße They'Re 2Nd Ab中Cd Οδος"],
    ['ßa 𐐨b', 'Title Case', 'Ssa 𐐀b'],
    ['', 'Capitalize', ''],
  ])('CaseConverter %j %s', (string, mode, expected) =>
    expect(run('CaseConverter', { string, mode })).toBe(expected),
  );

  test.each([
    ['a😀b', 1, 2, '😀'],
    ['abcdef', -3, -1, 'de'],
    ['abc', 2, 1, ''],
    ['abc', 0, 99, 'abc'],
  ])('StringSubstring %j [%d:%d]', (string, start, end, expected) =>
    expect(run('StringSubstring', { string, start, end })).toBe(expected),
  );

  test('StringLength counts code points', () => expect(run('StringLength', { string: 'a😀é' })).toBe(3));

  test.each([
    ['aXbX', 'X', '$&', 'a$&b$&'],
    ['😀a', '', '-', '-😀-a-'],
    ['abc', 'z', 'y', 'abc'],
  ])('StringReplace %j: %j by %j', (string, find, replace, expected) =>
    expect(run('StringReplace', { string, find, replace })).toBe(expected),
  );

  const flags = { case_insensitive: false, multiline: false, dotall: false, count: 0 };
  test.each([
    ['hello world', String.raw`(\w+) (\w+)`, String.raw`\2-\1`, {}, 'world-hello'],
    ['abxd', 'x*', '-', {}, '-a-b--d-'],
    ['abc', '(?P<n>b)', String.raw`[\g<1>\g<0>]`, {}, 'a[bb]c'],
    ['aAa', 'a', 'b', { case_insensitive: true, count: 1 }, 'bAa'],
    ['aAa', 'A', 'b', {}, 'aba'],
    ['a\na', '^a', 'b', { multiline: true }, 'b\nb'],
    ['a\nb', 'a.b', String.raw`\n\\`, { dotall: true }, '\n\\'],
    ['a ,b,c', String.raw`\s*,\s*`, ', ', {}, 'a, b, c'],
    ['a', 'a', '$1$&', {}, '$1$&'],
  ])('RegexReplace %j: %j by %j %j', (string, regex_pattern, replace, on, expected) =>
    expect(run('RegexReplace', { ...flags, string, regex_pattern, replace, ...on })).toBe(expected),
  );

  test.each([
    ['é1', String.raw`\w`, '-', 'Python takes é for a letter'],
    ['a\n', 'a$', '-', "Python's $ matches before the last line end"],
    ['a\x1c', String.raw`\s`, '-', 'Python takes \\x1c for a space'],
    ['a', '(a', '-', 'no pattern'],
    ['a', '(?P<n>a)(?P=n)', '-', 'no pattern of JavaScript'],
    ['a', 'a', String.raw`\1`, 'no such group'],
    ['a', 'a', String.raw`\q`, 'no such escape'],
    ['a', 'a', String.raw`\g<n>`, 'a group by name'],
    ['a'.repeat(20_001), 'a', '-', 'a long text'],
    ['a', 'a'.repeat(201), '-', 'a long pattern'],
    ['a', 'a', '-'.repeat(2001), 'a long replacement'],
  ])('RegexReplace %j: %j by %j stays unknown: %s', (string, regex_pattern, replace) =>
    expect(run('RegexReplace', { ...flags, string, regex_pattern, replace })).toBeUndefined(),
  );

  test.each([
    '(a+)+b',
    '(a|a)*b',
    '((a|a))*b',
    '(?:a|a){30}b',
    `${'(a|a)'.repeat(38)}b`,
    `${'a?'.repeat(60)}${'a'.repeat(60)}`,
    'a*a*a*a*a*b',
    String.raw`(a*)(a*)(a*)\1b`,
  ])('a pattern that could stall the save is not tried: %s', (regex_pattern) =>
    expect(
      run('RegexReplace', { ...flags, string: 'a'.repeat(200), regex_pattern, replace: '' }),
    ).toBeUndefined(),
  );

  test.each([
    ['a Fox', 'FOX', false, true],
    ['a Fox', 'FOX', true, false],
    ['a Fox', 'Fox', true, true],
  ])('StringContains %j %j, case %s: %s', (string, substring, case_sensitive, expected) =>
    expect(run('StringContains', { string, substring, case_sensitive })).toBe(expected),
  );

  test.each([
    ['Equal', 'ab', 'AB', false, true],
    ['Equal', 'ab', 'AB', true, false],
    ['Starts With', 'abc', 'ab', true, true],
    ['Starts With', 'abc', 'bc', true, false],
    ['Ends With', 'abc', 'BC', false, true],
    ['Ends With', 'abc', 'ab', false, false],
  ])('StringCompare %s %j %j, case %s: %s', (mode, string_a, string_b, case_sensitive, expected) =>
    expect(run('StringCompare', { mode, string_a, string_b, case_sensitive })).toBe(expected),
  );

  test('StringConcatenate keeps empty parts', () => {
    expect(run('StringConcatenate', { string_a: 'a', string_b: '', delimiter: ', ' })).toBe('a, ');
  });
});

describe('compute', () => {
  const join = (skipEmpty: boolean): Operation => ({
    op: 'join',
    parts: { prefix: 'text_' },
    separator: { value: '|' },
    skipEmpty,
  });
  const all = (operation: Operation, inputs: Readonly<Record<string, Json>>): Json | undefined =>
    compute(operation, Object.keys(inputs), (operand) => lookUp(operand, inputs));

  test('joins every input of a prefix, numbers in order', () => {
    const inputs = { text_10: 'c', text_2: 'b', other: 'x', text_1: 'a', text_3: '' };
    expect(all(join(false), inputs)).toBe('a|b||c');
    expect(all(join(true), inputs)).toBe('a|b|c');
  });

  test.each([
    ['7.9', 'int', 7],
    ['-7.9', 'int', -7],
    [true, 'int', 1],
    ['18446744073709551615', 'int', new ExactNumber('18446744073709551615')],
    [new ExactNumber('8.0'), 'float', new ExactNumber('8.0')],
    [new ExactNumber('8.0'), 'string', '8.0'],
    ['00018446744073709551615', 'int', new ExactNumber('18446744073709551615')],
    ['x', 'int', undefined],
    ['', 'float', undefined],
    ['0', 'boolean', false],
    ['no', 'boolean', true],
    [[1], 'string', undefined],
  ] as const)('casts %j to %s', (of, to, expected) =>
    expect(all({ op: 'cast', of: { input: 'of' }, to }, { of })).toEqual(expected),
  );

  test('is unknown as soon as an operand is, or is no text', () => {
    const anyOperation = fc.constantFrom<Operation>(
      ...Object.values(rules).flatMap(({ computes }) => computes ?? []),
    );
    fc.assert(
      fc.property(
        anyOperation,
        fc.constantFrom<Json | undefined>(undefined, null, ['a'], { a: 1 }),
        (operation, value) => {
          expect(compute(operation, ['string'], () => value)).toBeUndefined();
        },
      ),
    );
  });

  test('never gives a text beyond 262,144 characters, nor fails on the way to one', () => {
    const long = 'a'.repeat(200_000);
    expect(run('StringConcatenate', { string_a: long, string_b: long, delimiter: '' })).toBeUndefined();
    expect(run('StringConcatenate', { string_a: long, string_b: '', delimiter: '' })).toBe(long);
    expect(run('StringReplace', { string: long, find: 'a', replace: long })).toBeUndefined();
    expect(run('StringReplace', { string: long, find: '', replace: 'bb' })).toBeUndefined();
    const flags = { case_insensitive: false, multiline: false, dotall: false, count: 0 };
    const grown = { string: 'a'.repeat(20_000), regex_pattern: '(a)', replace: '\\1'.repeat(999) };
    expect(run('RegexReplace', { ...flags, ...grown })).toBeUndefined();
  });
});

test.each([
  [true, 'true'],
  [new ExactNumber('8.0'), '8.0'],
  [5, '5'],
  ['x', 'x'],
  [[1, new ExactNumber('2.0')], '[1,2.0]'],
  [null, 'null'],
])('asText(%j) is %j', (value, expected) => expect(asText(value)).toBe(expected));
