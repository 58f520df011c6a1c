import { MERGE_RECORD_KEY, type MergeRecord, type MergeSource } from './merge-record.ts';

/** What other tools want to know beside the record. */
export type HeaderFacts = {
  readonly title: string;
  readonly description?: string;
  /** ModelSpec's name of the architecture, like `stable-diffusion-xl-v1-base`. */
  readonly architecture?: string;
  /** How the file's tensors are merged, for A1111's recipe: a method's id. */
  readonly method?: string;
  /** One weight for each of the first sources, where the last step has them. */
  readonly weights?: readonly number[];
  readonly halves: boolean;
};

/**
 * The place of the hash in the header, to be written over when the bytes are known: `0x` and 64 digits.
 * @see https://github.com/Stability-AI/ModelSpec (1.0.1)
 */
export const HASH_PLACEHOLDER = `0x${'0'.repeat(64)}`;

/**
 * The texts of a merged file's header: our record, ModelSpec 1.0.1, and the keys by which A1111 and its kin show how
 * a model was merged. Neither a date nor a path is in it, so that the same recipe gives the same bytes.
 */
export function headerTexts(record: MergeRecord, facts: HeaderFacts): ReadonlyMap<string, string> {
  const { sources } = record;
  const licences = [...new Set(sources.flatMap(({ licence }) => licence ?? []))];
  const texts: [string, string | undefined][] = [
    [MERGE_RECORD_KEY, JSON.stringify(record)],
    ['format', 'pt'],
    ['modelspec.sai_model_spec', '1.0.1'],
    ['modelspec.architecture', facts.architecture],
    ['modelspec.implementation', 'https://github.com/comfyanonymous/ComfyUI'],
    ['modelspec.title', facts.title],
    ['modelspec.description', facts.description],
    ['modelspec.hash_sha256', HASH_PLACEHOLDER],
    ['modelspec.license', licences.length > 0 ? licences.join('; ') : undefined],
    ['modelspec.merged_from', sources.map(({ name }) => name).join(', ')],
    ['sd_merge_recipe', JSON.stringify(a1111Recipe(record, facts))],
    ['sd_merge_models', JSON.stringify(a1111Models(sources))],
  ];
  return new Map(
    texts
      .flatMap(([key, text]): [string, string][] => (text === undefined ? [] : [[key, text]]))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The fields that A1111 writes, with the hashes by which it finds a parent's entry in `sd_merge_models`. */
function a1111Recipe({ sources }: MergeRecord, { method, weights, halves, title }: HeaderFacts) {
  const [primary, secondary, tertiary] = sources.map(identityOf);
  return {
    type: 'lineage',
    primary_model_hash: primary ?? null,
    secondary_model_hash: secondary ?? null,
    tertiary_model_hash: tertiary ?? null,
    interp_method: method ?? 'pipeline',
    multiplier: weights?.[1] ?? null,
    save_as_half: halves,
    custom_name: title,
  };
}

function a1111Models(sources: readonly MergeSource[]) {
  const models: Record<string, { name: string; legacy_hash: string; sd_merge_recipe: unknown }> =
    Object.create(null);
  const add = (list: readonly MergeSource[]): void => {
    for (const source of list) {
      const { record, name } = source;
      models[identityOf(source)] = {
        name,
        legacy_hash: '',
        sd_merge_recipe: record ? { type: 'lineage', sources: record.sources.map(identityOf) } : null,
      };
      if (record) add(record.sources);
    }
  };
  add(sources);
  return models;
}

/** A1111 names models by the hash of the file; where only that of the data was taken, by that. */
function identityOf({ sha256, dataSha256 }: MergeSource): string {
  return sha256 ?? dataSha256;
}
