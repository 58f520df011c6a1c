import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Operand } from '../../nodes/merge/job.ts';
import { checkPipeline, hasErrors, layOutManifest } from '../../nodes/pipeline/check.ts';
import { factsOf, fileOf, nothingAt, optionsOf } from './models.ts';

const tensor = fc
  .tuple(
    fc.constantFrom('F32', 'F16', 'BF16', 'F8_E4M3', 'F64', 'I64', 'BOOL', 'C64'),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  )
  .map(([dtype, shape]) => [dtype, ...shape].join(' '));
const names = [
  'a',
  'b',
  'c',
  'v_pred',
  'model_ema.a',
  'betas',
  'x.text_model.embeddings.position_ids',
  '__proto__',
  '',
];
const model = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), tensor), { selector: ([name]) => name, maxLength: 9 })
  // Not by assignment: a tensor may be called __proto__.
  .map((entries) => Object.fromEntries(entries));

/** Every merged value below one, which must all be of one shape. */
function shapesIn(value: Operand): (readonly number[])[] {
  if (value.kind !== 'merged') return [value.shape];
  return [value.shape, ...[...value.models, ...(value.base ? [value.base] : [])].flatMap(shapesIn)];
}

test('whatever the models hold, a merge is planned without a throw, stretches nothing and loses nothing in silence', () => {
  const step = fc.record({
    method: fc.constantFrom(undefined, 'linear', 'weighted-sum', 'ties', 'slerp'),
    missing: fc.constantFrom('error', 'base', 'skip', 'renormalise'),
    prune: fc.constantFrom(false, true, 'ema'),
    precision: fc.constantFrom('fp32', 'fp16', 'bf16', 'fp8_e4m3'),
  });
  fc.assert(
    fc.property(model, model, model, step, ({ ...one }, two, base, { precision, ...more }) => {
      const given = { ...more, ...(more.method === 'ties' && { base: { path: 'z' } }) };
      const { laidOut } = layOutManifest({
        models: [{ path: 'p' }, { path: 'q' }],
        output: { path: 'out', precision },
        ...given,
      });
      if (!laidOut) throw new Error('no manifest');
      const files = factsOf(fileOf('p', one), fileOf('q', two), fileOf('z', base), nothingAt('out'));
      const run = () =>
        checkPipeline(laidOut, files, optionsOf(), {
          threads: 1,
          fixedBytes: 0,
          bytesPerThread: 0,
          needOf: () => 0,
        });
      const { steps, findings, estimates } = run();
      const [first] = steps;
      const made = new Map(first?.job?.tensors.map((each) => [each.name, each]));
      for (const { value, shape } of made.values())
        for (const each of shapesIn(value)) expect(each).toEqual(shape);
      const lost = [...Object.keys(one), ...Object.keys(two)].filter((name) => !made.has(name));
      const told = new Set([
        ...(first?.plan.merged?.skipped ?? []),
        ...[...(first?.plan.pruned.values() ?? [])].flat().map(({ name }) => name),
      ]);
      if (!hasErrors(findings)) expect(lost.filter((name) => !told.has(name))).toEqual([]);
      // What is written is what was predicted, tensor for tensor.
      const { facts } = first!.output!.predicted!;
      expect([...facts.tensors.keys()]).toEqual([...made.keys()]);
      expect(estimates.get('merge')?.writeBytes).toBe(facts.bytes);
      expect(run().findings).toEqual(findings);
    }),
    { numRuns: 300 },
  );
});
