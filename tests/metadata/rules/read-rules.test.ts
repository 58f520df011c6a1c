import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { learn } from '../../../nodes/metadata/learn.ts';
import { readRules, tellFinding } from '../../../nodes/metadata/rules/read-rules.ts';
import { openUserBook } from '../../../nodes/metadata/rules/user-book.ts';

const read = (text: string, name = 'mine.yaml') => readRules({ name, text });
const told = (text: string, name = 'mine.yaml') => read(text, name).findings.map(tellFinding);

const GOOD =
  'version: 1\nnodes:\n  My Loader:\n    role: loader\n    reads:\n      MODEL_NAME: { input: file, on: model }\n';

test('YAML and JSON of the same rules are the same rules, named for their file', () => {
  const rule = { role: 'loader', reads: { MODEL_NAME: { input: 'file', on: 'model' } } };
  const { pack, findings } = read(GOOD, 'folder/mine.yaml');
  expect(findings).toEqual([]);
  expect(pack).toMatchObject({ pack: 'mine', nodes: { 'My Loader': rule } });
  const json = JSON.stringify({ version: 1, nodes: { 'My Loader': rule } });
  expect(read(json, 'mine.json').pack).toEqual({ ...pack, source: 'mine.json' });
});

describe('a finding says line, column, what was expected and what was probably meant', () => {
  test.each([
    [
      GOOD.replace('role', 'roll'),
      'mine.yaml:4:5: error: nodes["My Loader"]: expected a known key, perhaps "role", got "roll"',
    ],
    [
      GOOD.replace('role: loader', 'role: loadr'),
      'mine.yaml:4:11: error: nodes["My Loader"].role: expected one of sampler, ',
    ],
    [
      GOOD.replace('on: model', 'on: modle'),
      'mine.yaml:6:38: error: nodes["My Loader"].reads.MODEL_NAME.on: expected one of model, ',
    ],
    [
      GOOD.replace('input:', 'inptu:'),
      'mine.yaml:6:21: error: nodes["My Loader"].reads.MODEL_NAME: expected a known key, perhaps "input", got "inptu"',
    ],
    [
      GOOD.replace('MODEL_NAME', 'MODEL_NAM'),
      'mine.yaml:6:7: error: nodes["My Loader"].reads: expected a known key, perhaps "MODEL_NAME", got ',
    ],
    [GOOD.replace('version: 1', 'version: 2'), 'mine.yaml:1:10: error: version: expected 1, got 2'],
    [GOOD.replace('version: 1\n', ''), 'mine.yaml:1:1: error: version: expected 1, got nothing'],
    [
      `${GOOD}  My Loader: { role: loader }\n`,
      'mine.yaml:7:3: error: expected YAML, got Map keys must be unique',
    ],
    ['version: 1\nnodes: { A: !!js/function "x" }', 'mine.yaml:2:'],
    ['', 'mine.yaml:1:1: error: expected an object, got '],
  ])('%j', (text, expected) => {
    const lines = told(text);
    expect(
      lines.some((line) => line.startsWith(expected)),
      lines.join('\n'),
    ).toBe(true);
    expect(read(text).pack).toBeUndefined();
  });

  test('of words that are near', () => {
    expect(read(GOOD.replace('role: loader', 'role: loadr')).findings[0]?.hint).toBe('loader');
  });

  test('in JSON', () => {
    expect(told('{\n  "version": 1,\n  "nodes": {,}\n}', 'a.json')[0]).toMatch(
      /^a\.json:3:13: error: expected JSON/,
    );
    expect(told('{"version": 1,\n "nodes": {"A": {"role": 3}}}', 'a.json')[0]).toMatch(
      /^a\.json:2:26: error: nodes\.A\.role:/,
    );
  });

  test('what a rule says against itself is a warning, and the file counts', () => {
    const { pack, findings } = read(
      'version: 1\nnodes:\n  A: { role: patch, takes: { model: model }, gives: [[modle]] }\n',
    );
    expect(Object.keys(pack?.nodes ?? {})).toEqual(['A']);
    expect(findings.map(({ level, place }) => `${level} ${place}`)).toEqual([
      'warning nodes.A.gives[0][0]',
      'warning nodes.A.takes.model',
    ]);
  });
});

describe('hostile files', () => {
  test('aliases that multiply', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 0; i < 9; i++) {
      const last = String.fromCharCode(97 + i);
      const next = String.fromCharCode(98 + i);
      lines.push(`${next}: &${next} [${Array(10).fill(`*${last}`).join(', ')}]`);
    }
    const started = performance.now();
    expect(told(lines.join('\n'))[0]).toContain('expected at most 100 aliases');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('operations in operations, with a mistake in the innermost', () => {
    let operation = '{"op":"trim","text":{"inpt":"a"}}';
    for (let level = 0; level < 10; level++)
      operation = `{"op":"replace","text":${operation},"find":{"value":"a"},"with":{"value":"b"}}`;
    const rule = `{"role":"string","computes":[{"op":"pick","by":{"input":"a"},"cases":{"a":${operation},"b":{}}}]}`;
    const started = performance.now();
    expect(told(`{"version":1,"nodes":{"A":${rule}}}`)[0]).toContain(
      'text.op: expected one of join, replace',
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('an operation that nobody knows', () => {
    const rule = '{"role":"string","computes":[{"op":"replce","text":{"input":"a"}}]}';
    expect(told(`{"version":1,"nodes":{"A":${rule}}}`)[0]).toMatch(
      /computes\[0\]\.op: expected one of join, replace, .*, got "replce" \(perhaps "replace"\)$/,
    );
  });

  test.each(['json', 'yaml'])('twenty thousand keys, of which one is there twice, in %s', (extension) => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `"k${i}": 1`);
    const started = performance.now();
    const [finding] = told(`{${[...keys, '"k7": 2'].join(',\n')}}`, `a.${extension}`);
    expect(finding).toBe(`a.${extension}:20001:1: error: expected JSON, got Map keys must be unique`);
    // Where each is compared with all before it, this takes minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test.each([
    ['json', (values: string) => `{"version":1,"nodes":{"A":[${values}]}}`],
    ['yaml', (values: string) => `version: 1\nnodes:\n  A: [${values}]\n`],
  ])('thirty thousand values are more than may be, in %s', (extension, write) => {
    const values = Array.from({ length: 30_000 }, () => 0).join(',');
    expect(told(write(values), `a.${extension}`)).toEqual([
      `a.${extension}:1:1: error: expected at most 25000 values, got more`,
    ]);
  });

  test.each(['[', '{a: ', '- ', '{"a":'])('%j a hundred thousand times', (piece) => {
    const { pack, findings } = read(piece.repeat(100_000));
    expect(pack).toBeUndefined();
    expect(findings.length).toBeGreaterThan(0);
  });

  test.each([
    '{"version": 1, "nodes": {"__proto__": {"role": "loader"}}}',
    '{"version": 1, "nodes": {"A": {"role": "patch", "takes": {"__proto__": "model"}}}}',
    'version: 1\nnodes:\n  __proto__: { role: loader }\n',
  ])('%s is refused and changes no object', (text) => {
    expect(told(text)[0]).toContain('expected ordinary keys, got "__proto__"');
    expect('role' in {}).toBe(false);
  });

  test('names that every object inherits are names like others', () => {
    const text = JSON.stringify({
      version: 1,
      nodes: {
        constructor: { role: 'image', gives: [['constructor', 'toString']] },
        A: { role: 'saver', takes: { images: 'image' } },
      },
    });
    const book = openUserBook([{ name: 'a.json', text }], () => {});
    const graph = parsePromptGraph(
      {
        1: { class_type: 'constructor', inputs: { constructor: ['1', 0], toString: ['2', 0] } },
        2: { class_type: 'A', inputs: { images: ['1', 0] } },
      },
      () => {},
    );
    expect(learn(graph, '2', book, { select: 'range', maxSamplers: 4 }, () => {}).samplers).toEqual([]);
  });

  test('no text makes it throw', () => {
    const word = fc.constantFrom(
      'version',
      'nodes',
      'role',
      'reads',
      'loader',
      'input',
      '1',
      '*a',
      '&a',
      '- ',
      ': ',
      '\n  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      '!!binary',
      '<<',
      '---',
      '__proto__',
      '\u0000',
      '\ud800',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.json(),
      fc.array(word, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isJson) => {
        const { pack, findings } = read(text, isJson ? 'a.json' : 'a.yaml');
        expect(pack !== undefined || findings.length > 0).toBe(true);
        for (const { line, column } of findings) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  test('nor does any value in the place of a rule', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const members = fc.constantFrom(
      'role',
      'takes',
      'gives',
      'reads',
      'switch',
      'pipe',
      'computes',
      'only',
      'resizes',
    );
    fc.assert(
      fc.property(fc.dictionary(members, value), (rule) => {
        read(JSON.stringify({ version: 1, nodes: { A: { role: 'patch', ...rule } } }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('precedence', () => {
  const loads = (input: string) =>
    `version: 1\nnodes: { CheckpointLoaderSimple: { role: loader, gives: [[], [], []], reads: { MODEL_NAME: { input: ${input}, on: model } } } }\n`;
  const inputOf = (...texts: string[]) => {
    const { warn, list } = createWarningLog();
    const book = openUserBook(
      texts.map((text, i) => ({ name: `${i}.yaml`, text })),
      warn,
    );
    const rule = book.get('CheckpointLoaderSimple')?.rule;
    return { input: rule?.reads?.MODEL_NAME, hasVae: rule?.reads?.VAE_NAME !== undefined, list };
  };

  test('a user file wins over the packs, whole class types; the first file wins over the next', () => {
    expect(inputOf(loads('mine')).input).toEqual({ input: 'mine', on: 'model' });
    expect(inputOf(loads('mine'), loads('other')).input).toEqual({ input: 'mine', on: 'model' });
    expect(inputOf().input).toEqual({ input: 'ckpt_name', on: 'model' });
  });

  test('a bad file counts for nothing, is warned of, and stops no other', () => {
    const { input, list } = inputOf('version: 1\nnodes: [', loads('other'));
    expect(input).toEqual({ input: 'other', on: 'model' });
    expect(list.map(({ code, where }) => `${code} ${where.split(':')[0]}`)).toEqual([
      'rules/malformed 0.yaml',
    ]);
  });
});
