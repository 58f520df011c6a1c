import { type Finding, fail, listNames } from './finding.ts';
import { architectureOf, type ModelView } from './view.ts';

/** Models of different architectures; one that was not recognised goes with any. */
export function refuseMixedFamilies(step: string, models: readonly ModelView[]): readonly Finding[] {
  const known = models.flatMap((model) => {
    const architecture = architectureOf(model);
    return architecture ? [{ label: model.label, title: architecture.title }] : [];
  });
  const [first] = known;
  const other = known.find(({ title }) => title !== first?.title);
  if (!first || !other) return [];
  const expected = `models of one architecture: ${first.label} is ${first.title}`;
  const got = `${other.label}, which is ${other.title}`;
  return [fail('pipeline/architecture', { step, where: 'models', expected, got })];
}

/** Models whose weights are codes that stand for other numbers, times a factor beside them. */
export function refuseScaled(step: string, models: readonly ModelView[]): readonly Finding[] {
  return models.flatMap(({ label, tensors }) => {
    const factors = [...tensors.keys()].filter((name) =>
      /(^|\.)(scaled_fp8|scale_weight|weight_scale)$/.test(name),
    );
    if (factors.length === 0) return [];
    const got = `scaled ones in ${label}: ${listNames(factors)}`;
    return [fail('pipeline/scaled', { step, expected: 'weights as plain numbers', got })];
  });
}
