import { describe, expect, test } from 'vitest';
import { checkPipeline, layOutManifest } from '../../nodes/pipeline/check.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import { describeFinding } from '../../nodes/pipeline/finding.ts';
import { factsOf, fileOf, ifStep, nothingAt, optionsOf, realTensors } from './models.ts';

const COSTS = { threads: 2, fixedBytes: 0, bytesPerThread: 0, needOf: () => 0 };
const small = (path: string, more: Partial<FileFacts> = {}) => fileOf(path, { w: 'F16 4' }, more);

function check(steps: readonly object[], files: readonly FileFacts[], freeBytes?: number) {
  const { laidOut, findings } = layOutManifest({ pipeline: { steps } });
  if (!laidOut) throw new Error(JSON.stringify(findings));
  const facts = {
    ...factsOf(...files),
    freeBytes: new Map(freeBytes === undefined ? [] : [['disk', freeBytes]]),
  };
  return checkPipeline(laidOut, facts, optionsOf(), COSTS);
}
const merge = (id: string, output: string | undefined, ...refs: string[]): object => ({
  id,
  type: 'merge',
  models: refs.map((ref) => (ref.startsWith('@') ? { step: ref.slice(1) } : { path: ref })),
  ...(output !== undefined && { output }),
});

describe('files', () => {
  test('the paths that are read and written are listed for whoever collects facts', () => {
    const { laidOut } = layOutManifest({
      pipeline: {
        steps: [
          ifStep(
            'i',
            { model: { path: 'asked' }, property: 'bytes', above: 1 },
            [merge('t', 'x', 'a')],
            [merge('e', 'y', 'b')],
          ),
        ],
      },
    });
    expect([laidOut?.reads, laidOut?.writes]).toEqual([
      ['a', 'b', 'asked'],
      ['x', 'y'],
    ]);
  });

  test('missing and unreadable ones are all told at once', () => {
    const problem = { expected: 'a header of safetensors', got: 'a pickle', hint: 'Convert it.' };
    const { findings } = check(
      [merge('m', 'out', 'a', 'b', 'c')],
      [nothingAt('a'), small('b', { problem }), small('c'), nothingAt('out')],
    );
    expect(findings.map(describeFinding)).toEqual([
      'error in step "m", a: expected a model file, got no file of this name. Check the path.',
      'error in step "m", b: expected a header of safetensors, got a pickle. Convert it.',
    ]);
  });

  test.each(['out', 'OUT', 'link'])('an output that is an input is refused, also as %s', (path) => {
    const { findings } = check(
      [merge('m', path, 'out', 'b')],
      [small('out'), small('b'), small(path, { identity: 'out' })],
    );
    expect(findings).toMatchObject([
      { level: 'error', code: 'pipeline/output-is-input', step: 'm', where: `output ${path}` },
    ]);
  });

  test('the output of another step by its path: named, with what to write instead', () => {
    const { findings } = check(
      [merge('a', 'x', 'f'), merge('b', 'y', 'x')],
      [small('f'), nothingAt('x'), nothingAt('y')],
    );
    expect(findings).toMatchObject([
      { code: 'pipeline/output-is-input', step: 'a', expected: expect.stringContaining('"step": "a"') },
    ]);
  });

  test('two steps that write one file, unless only one of them can run', () => {
    const files = [small('f'), nothingAt('x'), nothingAt('X', { identity: 'x' })];
    expect(check([merge('a', 'x', 'f'), merge('b', 'X', 'f')], files).findings).toMatchObject([
      { code: 'pipeline/same-output', step: 'b', got: 'the output of step "a"' },
    ]);
    const condition = { model: { path: 'f' }, property: 'tensors', is: 1 };
    expect(
      check([ifStep('i', condition, [merge('a', 'x', 'f')], [merge('b', 'X', 'f')])], files).findings,
    ).toEqual([]);
  });

  test('a result that nobody uses needs a path', () => {
    expect(check([merge('a', undefined, 'f')], [small('f')]).findings).toMatchObject([
      { code: 'pipeline/no-output', step: 'a' },
    ]);
  });
});

describe('what the manifest says of its models', () => {
  const model = (declared: object) =>
    check(
      [{ id: 's', type: 'convert', model: { path: 'a', ...declared }, output: 'out' }],
      [fileOf('a', realTensors('sdxl').tensors), nothingAt('out')],
    ).findings;

  test.each(['SDXL', 'sdxl', 'sd-xl', 'SD XL'])('%s is right', (architecture) => {
    expect(model({ architecture })).toEqual([]);
  });
  test('another architecture is an error, another precision a warning', () => {
    expect(model({ architecture: 'SD1.5', precision_detected: 'bf16' })).toMatchObject([
      { level: 'error', code: 'pipeline/architecture', where: 'model (a)', expected: 'SD1.5', got: 'SDXL' },
      { level: 'warning', code: 'pipeline/precision', expected: 'bf16', got: 'fp16' },
    ]);
    expect(model({ precision_detected: 'unknown' })).toEqual([]);
    expect(model({ precision_detected: 'fp16' })).toEqual([]);
  });
  test('also of the result of a step', () => {
    const steps = [
      { id: 'one', type: 'convert', model: { path: 'a' }, output: { path: 'temp/x', precision: 'bf16' } },
      {
        id: 'two',
        type: 'convert',
        model: { step: 'one', architecture: 'Flux', precision_detected: 'bf16' },
        output: 'out',
      },
    ];
    const { findings } = check(steps, [
      fileOf('a', realTensors('sdxl').tensors),
      nothingAt('temp/x'),
      nothingAt('out'),
    ]);
    expect(findings).toMatchObject([
      { code: 'pipeline/architecture', step: 'two', expected: 'Flux', got: 'SDXL' },
    ]);
  });
});

describe('disks', () => {
  const W = { w: 'F16 1000' };
  const bytes = fileOf('a', W).bytes;
  const steps = [
    merge('one', undefined, 'a', 'b'),
    merge('two', undefined, '@one', 'b'),
    merge('three', 'out', '@two', 'a'),
  ];
  const files = [fileOf('a', W), fileOf('b', W), fileOf('out', W)];
  const tempsOn = (id: string): FileFacts => nothingAt(`temp/${id}`);

  test('temporary files go when their last user is done; the old output stays until the new one is whole', () => {
    const { disks } = check(steps, [...files, tempsOn('one'), tempsOn('two')]);
    expect(
      disks.map(({ step, duringBytes, afterBytes }) => [step, duringBytes / bytes, afterBytes / bytes]),
    ).toEqual([
      ['one', 1, 1],
      ['two', 2, 1],
      ['three', 2, 0],
    ]);
  });

  test('too little space is told for the fullest moment', () => {
    const all = [...files, tempsOn('one'), tempsOn('two')];
    expect(check(steps, all, 2 * bytes).findings).toEqual([]);
    expect(check(steps, all, 2 * bytes - 1).findings).toMatchObject([
      {
        level: 'error',
        code: 'pipeline/disk-space',
        step: 'two',
        where: 'temp/two',
        got: `${2 * bytes - 1}`,
      },
    ]);
  });
});
