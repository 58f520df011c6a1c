import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runJob } from '../../../bridge/merge/run-job.ts';
import { decodeFloats, encodeFloats, floatBytes } from '../../../nodes/formats/floats.ts';
import { checkParams } from '../../../nodes/merge/check-params.ts';
import { findMethod } from '../../../nodes/merge/find-method.ts';
import type { MergedTensor, OutputTensor } from '../../../nodes/merge/job.ts';
import { mergeMethods } from '../../../nodes/merge/methods/index.gen.ts';
import { countSurveyRounds } from '../../../nodes/merge/run-method.ts';
import { readText } from '../../house/sources.ts';
import { mergeInMemory } from '../../merge/methods/merge-in-memory.ts';
import { jobOf, type Made, makeFolder, merged, readModel, stored, writeModel } from './small-models.ts';

const TYPES = ['F8_E4M3', 'F8_E5M2', 'F16', 'BF16'] as const;
type Type = (typeof TYPES)[number];
type ByType<T> = Readonly<Record<Type, T>>;

/** As `generate_narrow.py` writes it; bytes are base64. */
type Case = {
  readonly method: string;
  readonly params: object;
  readonly weights: readonly number[];
  readonly count: number;
  readonly base: boolean;
  /** By the type of the inputs, then by that of the result: as torch casts it. */
  readonly want: ByType<ByType<string>>;
  /** Elements that float32 arithmetic may round to either side. */
  readonly unsure: ByType<Partial<ByType<readonly number[]>>>;
  /** Elements beyond the largest number of F8_E4M3, by the type of the inputs. */
  readonly beyond: Partial<ByType<readonly number[]>>;
};
const narrow: {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** The base, then the models. */
  readonly inputs: ByType<readonly string[]>;
  readonly cases: readonly Case[];
} = JSON.parse(readText('fixtures/merge/methods/narrow.json'));

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const SHAPES = Object.entries(narrow.shapes).map(([name, shape]) => ({
  name,
  shape,
  size: shape.reduce((product, side) => product * side, 1),
}));
const SIZE = SHAPES.reduce((sum, { size }) => sum + size, 0);
const [E4M3_MAX, E4M3_NAN] = [0x7e, 0x7f];

/** The bytes of each tensor, of all behind one another. */
function cut(type: Type, all: Uint8Array): { name: string; shape: readonly number[]; bytes: Uint8Array }[] {
  let end = 0;
  return SHAPES.map(({ name, shape, size }) => {
    const start = end;
    end += size * floatBytes(type);
    return { name, shape, bytes: all.subarray(start, end) };
  });
}

/** Codes, with the two zeros as one. */
function codesOf(type: Type, bytes: Uint8Array): number[] {
  const [codes, sign] =
    floatBytes(type) === 2 ? [new Uint16Array(bytes.slice().buffer), 0x8000] : [bytes, 0x80];
  return [...codes].map((code) => (code === sign ? 0 : code));
}

/** Elements that are not what torch has, of those that can be told. */
function wrongOnes(each: Case, from: Type, to: Type, got: Uint8Array, want: readonly number[]): string[] {
  const unsure = new Set(each.unsure[from][to]);
  return codesOf(to, got).flatMap((code, i) =>
    code === want[i] || unsure.has(i)
      ? []
      : [`${each.method} ${JSON.stringify(each.params)} ${from} to ${to} [${i}]: ${code}, not ${want[i]}`],
  );
}

/** What torch has; where it is beyond the largest number, NaN with its sign. */
function withNan({ want, beyond }: Case, from: Type, to: Type): number[] {
  const codes = codesOf(to, bytesOf(want[from][to]));
  if (to !== 'F8_E4M3') return codes;
  for (const i of beyond[from] ?? []) {
    expect(codes[i]! & 0x7f).toBe(E4M3_MAX);
    codes[i] = (codes[i]! & 0x80) | E4M3_NAN;
  }
  return codes;
}

const pairs = TYPES.flatMap((from) => TYPES.map((to) => [from, to] as const));

test('the fixture has every method, and few elements that cannot be told', () => {
  expect(new Set(narrow.cases.map(({ method }) => method))).toEqual(
    new Set(mergeMethods.map(({ id }) => id)),
  );
  for (const { unsure } of narrow.cases)
    for (const [from, to] of pairs) expect(unsure[from][to]?.length ?? 0).toBeLessThan(SIZE / 2);
  const all = narrow.cases.flatMap(({ unsure }) => pairs.flatMap(([from, to]) => unsure[from][to] ?? []));
  expect(all.length / (narrow.cases.length * pairs.length * SIZE)).toBeLessThan(0.02);
});

describe('through files', () => {
  const folder = makeFolder();
  afterAll(() => rmSync(folder, { recursive: true }));
  let made: ReadonlyMap<string, Made>;
  let damage: Awaited<ReturnType<typeof runJob>>['damage'];
  const nameOf = (at: number, from: Type, to: Type, name: string): string => `${at}.${from}.${to}.${name}`;

  beforeAll(async () => {
    const files = narrow.inputs.F16.map((_, file) =>
      writeModel(
        join(folder, `${file}.safetensors`),
        new Map(
          TYPES.flatMap((dtype) =>
            cut(dtype, bytesOf(narrow.inputs[dtype][file]!)).map(({ name, shape, bytes }): [string, Made] => [
              `${dtype}.${name}`,
              { dtype, shape, bytes },
            ]),
          ),
        ),
      ),
    );
    const mergeOf = ({ method: id, weights, count, ...each }: Case, group: number, from: Type) =>
      SHAPES.map(({ name }, index): MergedTensor => {
        const method = findMethod(id);
        const params = checkParams(method, each.params);
        const models = Array.from({ length: count }, (_, i) => stored(files, i + 1, `${from}.${name}`));
        return merged(id, name, models, {
          params,
          weights,
          ...(each.base && { base: stored(files, 0, `${from}.${name}`) }),
          ...(countSurveyRounds(method, params) > 0 && { survey: { group, index } }),
        });
      });
    const tensors = narrow.cases.flatMap((each, at) =>
      TYPES.flatMap((from, place) => {
        const values = mergeOf(each, at * TYPES.length + place, from);
        return TYPES.flatMap((to) =>
          values.map((value): OutputTensor => {
            return { name: nameOf(at, from, to, value.name), dtype: to, shape: value.shape, value };
          }),
        );
      }),
    );
    const out = join(folder, 'out.safetensors');
    const { signal } = new AbortController();
    ({ damage } = await runJob(jobOf(files, tensors), {
      ...{ out, threads: 2, memoryBytes: 2 ** 28, signal, flush: false },
    }));
    made = readModel(out);
  });

  test.each(pairs)('%s in, %s out: the bytes of torch in every method', (from, to) => {
    const wrong = narrow.cases.flatMap((each, at) => {
      const bytes = SHAPES.flatMap(({ name }) => [...made.get(nameOf(at, from, to, name))!.bytes]);
      return wrongOnes(each, from, to, Uint8Array.from(bytes), withNan(each, from, to));
    });
    expect(wrong.slice(0, 9)).toEqual([]);
  });

  test('what is beyond the largest number is counted', () => {
    let total = 0;
    narrow.cases.forEach(({ beyond }, at) => {
      for (const from of TYPES) {
        const counts = SHAPES.map(
          ({ name }) => damage.get(nameOf(at, from, 'F8_E4M3', name))?.overflowed ?? 0,
        );
        const count = counts.reduce((sum, one) => sum + one, 0);
        expect(count).toBe(beyond[from]?.length ?? 0);
        total += count;
      }
    });
    expect(total).toBeGreaterThan(50);
  });
});

describe('in memory', () => {
  const modelOf = (type: Type, file: number) =>
    new Map(
      cut(type, bytesOf(narrow.inputs[type][file]!)).map(({ name, shape, bytes }) => {
        const elements = new Float32Array(bytes.length / floatBytes(type));
        decodeFloats(type, bytes, elements);
        return [name, { shape, elements }];
      }),
    );

  test.each(TYPES)('%s in, with saturation: what torch has, also beyond the largest number', (from) => {
    const wrong = narrow.cases.flatMap((each) => {
      const method = findMethod(each.method);
      const out = mergeInMemory(method, {
        params: checkParams(method, each.params),
        weights: each.weights,
        models: Array.from({ length: each.count }, (_, i) => modelOf(from, i + 1)),
        ...(each.base && { base: modelOf(from, 0) }),
      });
      const all = Float32Array.from(SHAPES.flatMap(({ name }) => [...out.get(name)!]));
      return TYPES.flatMap((to) => {
        const bytes = new Uint8Array(all.length * floatBytes(to));
        encodeFloats(to, all, bytes, { saturate: to === 'F8_E4M3' });
        return wrongOnes(each, from, to, bytes, codesOf(to, bytesOf(each.want[from][to])));
      });
    });
    expect(wrong.slice(0, 9)).toEqual([]);
  });
});
