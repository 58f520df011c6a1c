import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { moduleOf } from '../../../bridge/merge/adapter-module.ts';
import { type JobOptions, runJob } from '../../../bridge/merge/run-job.ts';
import { findMethod } from '../../../nodes/merge/find-method.ts';
import type { MergeJob, Operand, OutputTensor } from '../../../nodes/merge/job.ts';
import { BASE } from '../../../nodes/merge/method.ts';
import { runMethod, surveyTensor, type TensorInputs } from '../../../nodes/merge/run-method.ts';
import {
  bf16,
  drawNumbers,
  f16,
  f32,
  jobOf,
  type Made,
  type Model,
  makeFolder,
  makePair,
  merged,
  moveTowards,
  numbersOf,
  readModel,
  stored,
  weightedSumJob,
  writeModel,
} from './small-models.ts';

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, 'out.safetensors');

function run(job: MergeJob, options: Partial<JobOptions> = {}) {
  const { signal } = new AbortController();
  return runJob(job, { out, threads: 2, memoryBytes: 2 ** 28, signal, flush: false, ...options });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a weighted sum of two models', () => {
  let pair: readonly [Model, Model];
  beforeAll(() => {
    pair = makePair(folder, 4);
  });

  test('gives the bytes that its definition gives, for every tensor', async () => {
    const { damage, resumed, bytes } = await run(weightedSumJob(pair, 0.3));
    const made = readModel(out);
    expect([...made.keys()].sort()).toEqual([...pair[0].tensors.keys()].sort());
    for (const [name, { dtype, shape, bytes: found }] of made) {
      const [a, b] = pair.map(({ tensors }) => tensors.get(name)!);
      expect({ name, dtype, shape }).toEqual({ name, dtype: a!.dtype, shape: a!.shape });
      if (dtype === 'I64') expect(found).toEqual(a!.bytes);
      else if (dtype === 'BF16') {
        // Within half a step of 8 bits: rounded, not cut off.
        const wanted = moveTowards(numbersOf(a!), numbersOf(b!), 0.3);
        numbersOf({ dtype, shape, bytes: found }).forEach((x, i) => {
          if (Math.abs(x - wanted[i]!) > Math.abs(wanted[i]!) * 2 ** -8) throw new Error(`${name}[${i}]`);
        });
      } else {
        const wanted = moveTowards(numbersOf(a!), numbersOf(b!), 0.3);
        expect(Buffer.compare(found, (dtype === 'F16' ? f16 : f32)(shape, wanted).bytes), name).toBe(0);
      }
    }
    expect(damage.size).toBe(0);
    expect(resumed).toBe(0);
    expect(bytes).toBe(readFileSync(out).length);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('does not depend on threads or on how it is cut', async () => {
    const found = new Set<string>();
    for (const [threads, unitBytes] of [
      [1, 1 << 20],
      [2, 1 << 20],
      [8, 1 << 16],
      [2, 4096],
      [3, 64 * 777],
    ] as const) {
      const { hashes } = await run(weightedSumJob(pair, 0.3), { threads, unitBytes, hashOutput: true });
      const file = readFileSync(out);
      const data = file.subarray(8 + Number(file.readBigUInt64LE(0)));
      expect(hashes).toEqual({ sha256: sha256(file), dataSha256: sha256(data) });
      found.add(sha256(file));
    }
    expect(found.size).toBe(1);
  });

  test('of weight 0 or 1 is a copy, bit for bit, even of what is no number', async () => {
    const odd = f16([6], [Number.NaN, Number.POSITIVE_INFINITY, -0, 0, 1, 6e-8]);
    const models = ['p', 'q'].map((name, i) =>
      writeModel(join(folder, name), new Map([['x', i === 0 ? odd : f16([6], drawNumbers(3, 6))]])),
    );
    await run(weightedSumJob(models, 0));
    expect(readModel(out).get('x')!.bytes).toEqual(odd.bytes);
    await run(weightedSumJob(models, 1));
    expect(readModel(out).get('x')!.bytes).toEqual(models[1]!.tensors.get('x')!.bytes);
  });
});

describe('values of other kinds', () => {
  const size = 70_001;
  const numbers = [11, 22, 33].map((seed) => drawNumbers(seed, size));
  const made: readonly Made[] = [
    f16([size], numbers[0]!),
    bf16([size], numbers[1]!),
    f32([size], numbers[2]!),
  ];
  const values = made.map(numbersOf);
  let models: Model[];
  beforeAll(() => {
    models = made.map((each, i) => writeModel(join(folder, `m${i}`), new Map([['x', each]])));
  });
  const x = (file: number): Operand => stored(models, file, 'x');

  async function make(value: Operand, options: Partial<JobOptions> = {}, dtype: 'F16' | 'F32' = 'F32') {
    const tensor: OutputTensor = { name: 'x', dtype, shape: [size], value };
    const found = new Set<string>();
    for (const threads of [1, 2]) {
      await run(jobOf(models, [tensor]), { threads, unitBytes: threads * 8192, ...options });
      found.add(sha256(readFileSync(out)));
    }
    expect(found.size).toBe(1);
    return readModel(out).get('x')!;
  }

  test('types are mixed, converted, and results of results never rounded in between', async () => {
    const [a, b, c] = values as [Float32Array, Float32Array, Float32Array];
    expect((await make(x(2), {}, 'F16')).bytes).toEqual(f16([size], c).bytes);
    expect((await make(x(1))).bytes).toEqual(f32([size], b).bytes);
    const inner = merged('weighted-sum', 'x', [x(0), x(1)], { params: { alpha: 0.25 } });
    const outer = merged('weighted-sum', 'x', [inner, x(2)], { params: { alpha: 0.6 } });
    const wanted = moveTowards(moveTowards(a, b, 0.25), c, 0.6);
    expect((await make(outer)).bytes).toEqual(f32([size], wanted).bytes);
    expect((await make(outer, {}, 'F16')).bytes).toEqual(f16([size], wanted).bytes);
  });

  /** The method on whole arrays in memory: what the engine must give whatever it reads through. */
  function runPlainly(
    method: string,
    inputs: readonly Float32Array[],
    base: Float32Array | undefined,
    params: TensorInputs['params'],
    survey: readonly Float64Array[] = [],
  ): Float32Array {
    const result = new Float32Array(size);
    runMethod(findMethod(method), plainInputs(inputs, base, params, survey), (start, part) =>
      result.set(part, start),
    );
    return result;
  }

  function plainInputs(
    inputs: readonly Float32Array[],
    base: Float32Array | undefined,
    params: TensorInputs['params'],
    survey: readonly Float64Array[],
  ): TensorInputs {
    return {
      name: 'x',
      shape: [size],
      weights: inputs.map(() => 1),
      params,
      survey,
      index: 0,
      hasBase: base !== undefined,
      read(input, start, into) {
        const from = input === BASE ? base! : inputs[input]!;
        into.set(from.subarray(start, start + into.length));
      },
    };
  }

  function defaultsOf(method: string, more: TensorInputs['params'] = {}): TensorInputs['params'] {
    const entries = Object.entries(findMethod(method).params).map(([name, param]) => [name, param.default]);
    return { ...Object.fromEntries(entries), ...more };
  }

  test.each(['slerp', 'ties', 'karcher', 'arcee-fusion'])(
    '%s reads and writes through the engine',
    async (id) => {
      const params = defaultsOf(id);
      const hasBase = findMethod(id).base === 'required';
      const value = merged(id, 'x', [x(0), x(1)], { params, ...(hasBase && { base: x(2) }) });
      const wanted = runPlainly(id, [values[0]!, values[1]!], hasBase ? values[2] : undefined, params);
      expect((await make(value)).bytes).toEqual(f32([size], wanted).bytes);
    },
  );

  test('a method takes the results of others as they are', async () => {
    const params = defaultsOf('ties');
    const inner = merged('weighted-sum', 'x', [x(0), x(1)], { params: { alpha: 0.5 } });
    const swapped = merged('slerp', 'x', [x(0), x(1)], { params: defaultsOf('slerp') });
    const value = merged('ties', 'x', [inner, swapped], { params, base: x(2) });
    const [a, b, c] = values as [Float32Array, Float32Array, Float32Array];
    const plain = runPlainly('slerp', [a, b], undefined, defaultsOf('slerp'));
    const wanted = runPlainly('ties', [moveTowards(a, b, 0.5), plain], c, params);
    expect((await make(value, {}, 'F16')).bytes).toEqual(f16([size], wanted).bytes);
  });

  test('a survey looks at the whole model first, in the order of names', async () => {
    const params = defaultsOf('ties', { scope: 'global' });
    const shapes = new Map([
      ['b', 3000],
      ['a', 66_000],
      ['c', 17],
    ]);
    const parts = [1, 2, 3].map((seed) =>
      writeModel(
        join(folder, `s${seed}`),
        new Map(
          [...shapes].map(([name, length]) => [name, f16([length], drawNumbers(seed * length, length))]),
        ),
      ),
    );
    const method = findMethod('ties');
    if (!('survey' in method) || !method.survey) throw new Error('ties surveys');
    const inputs = ['a', 'b', 'c'].map((name, index): TensorInputs => {
      const [p, q, base] = parts.map(({ tensors }) => numbersOf(tensors.get(name)!));
      return {
        ...plainInputs([p!, q!], base, params, []),
        name,
        index,
        shape: [shapes.get(name)!],
      };
    });
    const { rounds, combine } = method.survey;
    const survey: Float64Array[] = [];
    const count = typeof rounds === 'number' ? rounds : rounds(params as never);
    expect(count).toBeGreaterThan(0);
    for (let round = 0; round < count; round++) {
      const found = inputs.map((each) => surveyTensor(method, { ...each, survey }, round)!);
      survey.push(combine(found, round, params as never, [...survey]));
    }
    const tensors = ['c', 'a', 'b'].map((name): OutputTensor => {
      const [p, q, base] = [0, 1, 2].map((file) => stored(parts, file, name));
      const place = { group: 4, index: ['a', 'b', 'c'].indexOf(name) };
      const value = merged('ties', name, [p!, q!], { params, base: base!, survey: place });
      return { name, dtype: 'F16', shape: [shapes.get(name)!], value };
    });
    for (const threads of [1, 3]) {
      await run(jobOf(parts, tensors), { threads });
      const found = readModel(out);
      for (const each of inputs) {
        const wanted = new Float32Array(shapes.get(each.name)!);
        runMethod(method, { ...each, survey }, (start, part) => wanted.set(part, start));
        expect(found.get(each.name)!.bytes, each.name).toEqual(f16([wanted.length], wanted).bytes);
      }
    }
  });

  test('an adapter is baked into the weight', async () => {
    const [rows, columns, rank] = [24, 40, 3];
    const [w, up, down] = [7, 8, 9].map((seed, i) =>
      drawNumbers(seed, [rows * columns, rows * rank, rank * columns][i]!),
    ) as [Float32Array, Float32Array, Float32Array];
    const file = writeModel(
      join(folder, 'adapter'),
      new Map([
        ['w', f32([rows, columns], w)],
        ['up', f32([rows, rank], up)],
        ['down', f32([rank, columns], down)],
      ]),
    );
    const value: Operand = {
      kind: 'adapted',
      shape: [rows, columns],
      base: stored([file], 0, 'w'),
      patches: [
        {
          adapter: 'lora',
          strength: 0.5,
          tensors: { up: stored([file], 0, 'up'), down: stored([file], 0, 'down') },
          numbers: { alpha: 6 },
        },
      ],
    };
    await run(jobOf([file], [{ name: 'w', dtype: 'F32', shape: [rows, columns], value }]));
    numbersOf(readModel(out).get('w')!).forEach((found, i) => {
      let sum = 0;
      for (let r = 0; r < rank; r++) {
        sum += up[Math.floor(i / columns) * rank + r]! * down[r * columns + (i % columns)]!;
      }
      expect(found).toBeCloseTo(w[i]! + 0.5 * (6 / rank) * sum, 5);
    });
  });

  test("a module's numbers and tensors say what kind of change it is", () => {
    const tensor = stored(models, 2, 'x');
    const plain = moduleOf({ adapter: 'lora', strength: 1, tensors: { up: tensor }, numbers: { alpha: 4 } });
    expect(plain).toMatchObject({ kind: 'lora', part: 'weight', alpha: 4 });
    expect(plain.dora ?? plain.reshape ?? plain.isTransposed).toBeUndefined();
    const numbers = { transposed: 1, doraByOutput: 1, 'reshape.0': 6, 'reshape.1': 0, 'reshape.2': 3 };
    const tensors = { magnitude: tensor, bias: tensor };
    expect(moduleOf({ adapter: 'loha', strength: 1, tensors, numbers })).toMatchObject({
      ...{ kind: 'loha', part: 'bias', isTransposed: true, dora: { axis: 'output' }, reshape: [6, 0, 3] },
    });
    expect(moduleOf({ adapter: 'lora', strength: 1, tensors, numbers: {} })).toMatchObject({
      dora: { axis: 'by shape' },
    });
    expect(() => moduleOf({ adapter: 'other', strength: 1, tensors: {}, numbers })).toThrow('other');
  });

  test('a tensor that can never fit is named before any work', async () => {
    const value = merged('karcher', 'x', [x(0), x(1)], { params: defaultsOf('karcher') });
    const big: OutputTensor = { name: 'big.one', dtype: 'F32', shape: [size], value };
    await expect(run(jobOf(models, [big]), { memoryBytes: 2 ** 18 })).rejects.toMatchObject({
      code: 'merge/memory',
      message: expect.stringContaining('big.one'),
    });
  });
});

describe('numbers that are none', () => {
  const bad = [1, Number.NaN, Number.POSITIVE_INFINITY, 3, 60_000];
  let models: Model[];
  beforeAll(() => {
    models = [
      writeModel(
        join(folder, 'bad'),
        new Map([
          ['copied', f16([5], bad)],
          ['first', f16([5], [1, 2, 3, 4, 5])],
          ['second', f16([5], bad)],
        ]),
      ),
    ];
  });

  function job(policy: MergeJob['notFinite']): MergeJob {
    const twice = (name: string): OutputTensor => {
      const value = merged('linear', name, [stored(models, 0, name), stored(models, 0, name)], {
        params: { normalize: false },
      });
      return { name, dtype: 'F16', shape: [5], value };
    };
    const copied: OutputTensor = {
      name: 'copied',
      dtype: 'F16',
      shape: [5],
      value: stored(models, 0, 'copied'),
    };
    return jobOf(models, [copied, twice('first'), twice('second')], policy);
  }

  test('are counted where they are, and kept', async () => {
    const { damage } = await run(job('keep'));
    expect(Object.fromEntries(damage)).toEqual({
      copied: { notFinite: 2, overflowed: 0, nan: 0 },
      // In both inputs; 2a - (a - b) is no number where both are infinite; twice 60,000 is more than a half can be.
      second: { notFinite: 4, overflowed: 1, nan: 2 },
    });
    const found = readModel(out);
    expect([...numbersOf(found.get('first')!)]).toEqual([2, 4, 6, 8, 10]);
    expect([...numbersOf(found.get('second')!)]).toEqual([2, Number.NaN, Number.NaN, 6, Infinity]);
    expect(found.get('copied')!.bytes).toEqual(models[0]!.tensors.get('copied')!.bytes);
  });

  test('are told tensor by tensor, however many are made in one go', async () => {
    const spots: readonly (readonly [tensor: number, element: number, value: number])[] = [
      [3, 5, Number.NaN],
      [3, 1400, Number.NEGATIVE_INFINITY],
      [17, 3328, Number.NaN],
      [18, 0, Number.POSITIVE_INFINITY],
      [9, 7, 60_000],
      [29, 4000, -60_000],
    ];
    const tensors = Array.from({ length: 30 }, (_, i) => {
      const numbers = drawNumbers(i, 1000 + i * 137);
      for (const [tensor, element, value] of spots) if (tensor === i) numbers[element] = value;
      return [`t${String(i).padStart(2, '0')}`, f16([numbers.length], numbers)] as const;
    });
    const models = [writeModel(join(folder, 'spots'), new Map(tensors))];
    const job = jobOf(
      models,
      tensors.map(([name, { dtype, shape }]): OutputTensor => {
        const value = merged('linear', name, [stored(models, 0, name), stored(models, 0, name)], {
          params: { normalize: false },
        });
        return { name, dtype, shape, value };
      }),
    );
    for (const unitBytes of [1 << 20, 4096, 64]) {
      const { damage } = await run(job, { unitBytes });
      expect(Object.fromEntries([...damage].sort())).toEqual({
        t03: { notFinite: 4, overflowed: 0, nan: 2 },
        t09: { notFinite: 0, overflowed: 1, nan: 0 },
        t17: { notFinite: 2, overflowed: 0, nan: 1 },
        t18: { notFinite: 2, overflowed: 0, nan: 1 },
        t29: { notFinite: 0, overflowed: 1, nan: 0 },
      });
    }
    const stop = new AbortController();
    const progress = (done: number, total: number): void => {
      if (done > total / 2) stop.abort(new Error('enough'));
    };
    const slow = { threads: 1, unitBytes: 64, checkpointMs: 1 };
    await expect(run(job, { ...slow, signal: stop.signal, progress })).rejects.toThrow('enough');
    const { damage, resumed } = await run(job, slow);
    expect(resumed).toBeGreaterThan(10);
    expect([...damage.keys()].sort()).toEqual(['t03', 't09', 't17', 't18', 't29']);
  });

  test('become zero', async () => {
    const { damage } = await run(job('zero'));
    expect([...numbersOf(readModel(out).get('second')!)]).toEqual([2, 0, 0, 6, Infinity]);
    expect(damage.get('second')).toEqual({ notFinite: 4, overflowed: 1, nan: 0 });
  });

  test('stop the job, which leaves the old file and nothing else', async () => {
    writeFileSync(out, 'old');
    await expect(run(job('error'))).rejects.toMatchObject({
      code: 'merge/not-finite',
      message: expect.stringContaining('second'),
      where: { file: models[0]!.path },
    });
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

test('an input that ends too early, or is not there, is named', async () => {
  const model = writeModel(join(folder, 'short'), new Map([['x', f16([9000], drawNumbers(1, 9000))]]));
  const job = weightedSumJob([model, model], 0.5);
  writeFileSync(model.path, readFileSync(model.path).subarray(0, 12_000));
  await expect(run(job)).rejects.toMatchObject({ code: 'file/unreadable', where: { file: model.path } });
  rmSync(model.path);
  await expect(run(job)).rejects.toMatchObject({ code: 'file/missing', where: { file: model.path } });
});
