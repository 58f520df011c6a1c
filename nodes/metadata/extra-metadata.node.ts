import { defineNode } from '../kit/define-node.ts';
import { custom, text } from '../kit/fields.ts';
import { isRecord } from '../kit/is-record.ts';

/** The socket type of key-value pairs that a save node writes beside its own. */
export const EXTRA_METADATA = 'LINEAGE_EXTRA_METADATA';

/** Brings what arrives on the socket into shape: an object of texts. What is no text is left out. */
export function parseExtraMetadata(value: unknown): ReadonlyMap<string, string> {
  if (value instanceof Map) return parseExtraMetadata(Object.fromEntries(value));
  if (!isRecord(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([key, each]) => (typeof each === 'string' ? [[key, each]] : [])),
  );
}

const key = (n: number) => text({ default: '', tooltip: `Name of pair ${n}; an empty name writes nothing.` });
const value = (n: number) =>
  text({ default: '', tooltip: `Value of pair ${n}; an empty value writes nothing.` });

export default defineNode({
  id: 'LineageExtraMetadata',
  title: 'Extra Metadata',
  category: 'lineage/metadata',
  description:
    'Key-value pairs that Lineage Save Image adds to the generation metadata. Chain several for more.',
  inputs: {
    key1: key(1),
    value1: value(1),
    key2: key(2),
    value2: value(2),
    key3: key(3),
    value3: value(3),
    key4: key(4),
    value4: value(4),
    extra_metadata: custom(EXTRA_METADATA, {
      optional: true,
      tooltip: 'Pairs from another Extra Metadata node; this node wins where both have a key.',
      parse: parseExtraMetadata,
    }),
  },
  outputs: { extra_metadata: { type: EXTRA_METADATA, tooltip: 'All pairs so far.' } },

  async run({ extra_metadata, ...pairs }) {
    const all = new Map(extra_metadata);
    for (const [name, text] of [
      [pairs.key1, pairs.value1],
      [pairs.key2, pairs.value2],
      [pairs.key3, pairs.value3],
      [pairs.key4, pairs.value4],
    ] as const) {
      if (name.trim() !== '' && text.trim() !== '') all.set(name.trim(), text);
    }
    return { outputs: { extra_metadata: Object.fromEntries(all) } };
  },
});
