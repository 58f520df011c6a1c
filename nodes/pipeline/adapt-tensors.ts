import type { AdapterModule } from '../lora/adapter-module.ts';
import { readAdapter } from '../lora/read-adapter.ts';
import { makeKeyMap } from '../merge/architectures/key-spaces.ts';
import type { Placement } from '../merge/architectures/placement.ts';
import { widthsOf } from '../merge/architectures/widths.ts';
import type { AdapterPatch, StoredTensor } from '../merge/job.ts';
import { caution, type Finding, fail, listNames } from './finding.ts';
import { architectureOf, type ModelView, type ViewTensor } from './view.ts';

/** An adapter, and how much of it. */
export type WeightedAdapter = { readonly view: ModelView; readonly strength: number };

/** A model with adapters baked in. */
export type AdaptedModel = {
  readonly tensors: ReadonlyMap<string, ViewTensor>;
  readonly findings: readonly Finding[];
  /** Per adapter: how many of its modules found their weight. */
  readonly hits: readonly { readonly label: string; readonly modules: number; readonly of: number }[];
};

/**
 * Bakes adapters into a model, one after the other in the order given. A module whose weight the model lacks, a tensor
 * that belongs to no module, and a module that nothing says the scale of, is reported.
 */
export function adaptTensors(
  step: string,
  model: ModelView,
  adapters: readonly WeightedAdapter[],
): AdaptedModel {
  const architecture = architectureOf(model);
  if (!architecture) {
    const got = `${model.label}, which was not recognised`;
    const finding = fail('pipeline/part', {
      step,
      where: 'model',
      expected: 'a model of a known architecture',
      got,
    });
    return { tensors: model.tensors, findings: [finding], hits: [] };
  }
  const keys = makeKeyMap(architecture, widthsOf(architecture, model.tensors));
  const patches = new Map<string, AdapterPatch[]>();
  const widened = new Map<string, readonly number[]>();
  const findings: Finding[] = [];
  const hits = adapters.map(({ view, strength }, index) => {
    const where = `loras[${index}]`;
    const { modules, embeddings, unused } = readAdapter(view.tensors, view.adapterConfig);
    const bundled = [...embeddings.values()].flatMap((tensors) => [...tensors.values()]);
    const lost: string[] = [...bundled, ...unused.map(({ name }) => name)];
    // Control LoRAs for Flux have no scale by their format.
    const isControl = modules.some(({ dialect }) => dialect === 'flux-control');
    let [found, unscaled] = [0, 0];
    for (const adapter of modules) {
      // Weights that have no `.weight` at their end are named whole.
      const named = adapter.dialect === 'flux-control' ? keys.toCanonical(adapter.target) : undefined;
      const place = placeOf(adapter, named ?? keys.ofModule(adapter.target), model);
      const tensors = storedTensors(adapter, view);
      // The shape that a tensor of the file tells is not known before it is read.
      if (!place || !tensors || adapter.tensors.reshape !== undefined) {
        lost.push(adapter.target);
        continue;
      }
      found++;
      if (!isControl && isUnscaled(adapter)) unscaled++;
      const patch = { adapter: adapter.kind, strength, tensors, numbers: numbersOf(adapter) };
      const known = patches.get(place.name) ?? [];
      known.push({ ...patch, ...(place.rows && { rows: place.rows }) });
      patches.set(place.name, known);
      if (adapter.reshape) widened.set(place.name, adapter.reshape);
    }
    if (lost.length > 0 || found === 0) {
      const detail = {
        step,
        where: `${where} (${view.label})`,
        expected: `all its modules to fit ${model.label}`,
        got: `${found} of ${modules.length} that do; left out: ${listNames(lost)}`,
      };
      findings.push(found === 0 ? fail('pipeline/part', detail) : caution('pipeline/modules', detail));
    }
    if (unscaled > 0)
      findings.push(
        caution('pipeline/scale', {
          step,
          where: `${where} (${view.label})`,
          expected: 'an alpha in the file, or an adapter_config.json that is its own',
          got: `none for ${unscaled} of its modules`,
        }),
      );
    return { label: view.label, modules: found, of: modules.length };
  });
  const tensors = [...model.tensors].map(([name, tensor]): [string, ViewTensor] => {
    const mine = patches.get(name);
    if (!mine) return [name, tensor];
    const { dtype, value } = tensor;
    const shape = widened.get(name) ?? tensor.shape;
    return [name, { dtype, shape, value: { kind: 'adapted', shape, base: value, patches: mine } }];
  });
  return { tensors: new Map(tensors), findings, hits };
}

/** Whether this is of PEFT, which keeps α beside its files, and nothing says what it is. */
function isUnscaled({ kind, dialect, alpha, tensors }: AdapterModule): boolean {
  return kind === 'lora' && dialect.startsWith('peft') && alpha === undefined && tensors.alpha === undefined;
}

/** The weight or bias that a module changes, as this model names it; undefined where it has none of that name. */
function placeOf(
  { part }: AdapterModule,
  place: Placement | undefined,
  { tensors, detection }: ModelView,
): Placement | undefined {
  // Turned weights would need their adapter turned as well.
  if (!place || place.turn !== undefined) return undefined;
  const name = part === 'bias' ? place.name.replace(/\.weight$/, '.bias') : place.name;
  if (tensors.has(name)) return { ...place, name };
  const canonical = detection?.found?.architecture.prefix ?? '';
  const bare = name.startsWith(canonical)
    ? (detection?.found?.prefix ?? '') + name.slice(canonical.length)
    : name;
  return tensors.has(bare) ? { ...place, name: bare } : undefined;
}

/** By role; undefined where one is no tensor of a file, or is missing. */
function storedTensors(
  { tensors }: AdapterModule,
  view: ModelView,
): Readonly<Record<string, StoredTensor>> | undefined {
  const stored: [string, StoredTensor][] = [];
  for (const [role, name] of Object.entries(tensors)) {
    const value = view.tensors.get(name)?.value;
    if (value?.kind !== 'stored') return undefined;
    stored.push([role, value]);
  }
  return Object.fromEntries(stored);
}

/** What an adapter's module says beside its tensors, as numbers: `reshape.0` and on are the sides of its shape. */
function numbersOf({
  alpha,
  reshape = [],
  isTransposed,
  dora,
}: AdapterModule): Readonly<Record<string, number>> {
  return {
    ...(alpha !== undefined && { alpha }),
    ...(isTransposed && { transposed: 1 }),
    ...(dora?.axis === 'output' && { doraByOutput: 1 }),
    ...Object.fromEntries(reshape.map((side, axis) => [`reshape.${axis}`, side])),
  };
}
