import type { ModelLookup, ModelStore, PublishedModel } from '../../nodes/kit/host.ts';

/** A file of a literal model store: what `find` answers, and the first ten digits of its hash. */
export type LiteralModel = {
  readonly name: string;
  readonly lookup?: ModelLookup;
  readonly autoV2?: string;
  readonly published?: PublishedModel;
};

/** A model store without a disk. Its hashes are made of the ten digits given. */
export function literalModels(models: readonly LiteralModel[]): ModelStore & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async find(name, folders) {
      asked.push(`${name} in ${folders.join(', ')}`);
      const model = models.find((each) => each.name === name);
      if (!model) return { found: false, reason: 'missing' };
      return (
        model.lookup ?? {
          found: true,
          folder: folders[0] ?? 'checkpoints',
          file: `/models/${name}`,
          bytes: 7,
        }
      );
    },
    async published(file) {
      return models.find((each) => `/models/${each.name}` === file)?.published;
    },
    async hash(file) {
      asked.push(`hash ${file}`);
      const digits = models.find((each) => `/models/${each.name}` === file)?.autoV2 ?? '0000000000';
      return { sha256: digits.padEnd(64, '0'), autoV1: digits.slice(0, 8), autoV2: digits };
    },
  };
}
