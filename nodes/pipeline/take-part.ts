import { partOf } from '../merge/architectures/parts.ts';
import { type Finding, fail, listNames } from './finding.ts';
import { architectureOf, type ModelView, orUnknown, type ViewTensor } from './view.ts';

/** Tensors, or why there are none. */
export type Taken = {
  readonly tensors: ReadonlyMap<string, ViewTensor>;
  readonly findings: readonly Finding[];
};

/**
 * The VAE of a checkpoint, under the names a VAE file has; or its text encoders: one under the names that its own file
 * has, several under those of the checkpoint, which tell them apart.
 */
export function takePart(step: string, model: ModelView, part: 'vae' | 'text_encoder'): Taken {
  const architecture = orUnknown(architectureOf(model));
  const kind = part === 'vae' ? 'vae' : 'text-encoder';
  const encoders = new Set<string>();
  const found = [...model.tensors].flatMap(([name, tensor]) => {
    const place = partOf(name, architecture);
    if (place.kind !== kind) return [];
    if (place.kind === 'text-encoder') encoders.add(place.encoder);
    return [{ name, bare: place.bare, tensor }];
  });
  if (found.length === 0) {
    const what = part === 'vae' ? 'a VAE' : 'text encoders';
    const got = `${model.label}, ${architecture.title === '' ? 'which was not recognised' : `of ${architecture.title} without one`}`;
    const finding = fail('pipeline/part', {
      step,
      where: 'model',
      expected: `a checkpoint with ${what}`,
      got,
    });
    return { tensors: new Map(), findings: [finding] };
  }
  const named = found.map(({ name, bare, tensor }) => [encoders.size > 1 ? name : bare, tensor] as const);
  return { tensors: new Map(named), findings: [] };
}

/**
 * A model with the VAE of another file, a checkpoint's or one by itself. Its tensors must be those of the VAE that it
 * replaces, of the same shapes.
 */
export function replaceVae(step: string, model: ModelView, vae: ModelView): Taken {
  const architecture = orUnknown(architectureOf(model));
  const own = [...model.tensors.keys()].flatMap((name) => {
    const part = partOf(name, architecture);
    return part.kind === 'vae' ? [{ name, bare: part.bare }] : [];
  });
  const [first] = own;
  const prefix = first
    ? first.name.slice(0, first.name.length - first.bare.length)
    : (architecture.vae?.[0] ?? '');
  const isWhole = [...vae.tensors.keys()].some(
    (name) => partOf(name, orUnknown(architectureOf(vae))).kind === 'vae',
  );
  const taken = isWhole ? takePart(step, vae, 'vae').tensors : vae.tensors;
  const lacking = own.filter(({ bare }) => !taken.has(bare)).map(({ bare }) => bare);
  const known = new Set(own.map(({ bare }) => bare));
  const extra = own.length === 0 ? [] : [...taken.keys()].filter((bare) => !known.has(bare));
  const misshapen = own.flatMap(({ name, bare }) => {
    const [old, now] = [model.tensors.get(name), taken.get(bare)];
    return old && now && String(old.shape) !== String(now.shape) ? [`${bare} [${now.shape}]`] : [];
  });
  if (prefix === '' || lacking.length > 0 || misshapen.length > 0 || extra.length > 0) {
    const faults = [
      lacking.length > 0 ? `${lacking.length} tensors missing: ${listNames(lacking)}` : '',
      extra.length > 0 ? `${extra.length} that it does not have: ${listNames(extra)}` : '',
      misshapen.length > 0 ? `${misshapen.length} of another shape: ${listNames(misshapen)}` : '',
      prefix === '' ? `${model.label}, which was not recognised` : '',
    ].filter((fault) => fault !== '');
    const detail = {
      step,
      where: `vae (${vae.label})`,
      expected: `the VAE of ${model.label}`,
      got: faults.join('; '),
    };
    return { tensors: model.tensors, findings: [fail('pipeline/part', detail)] };
  }
  const tensors = new Map(model.tensors);
  for (const [bare, tensor] of taken) tensors.set(prefix + bare, tensor);
  return { tensors, findings: [] };
}
