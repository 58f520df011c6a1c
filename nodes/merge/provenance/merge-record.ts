import { z } from 'zod';

/** Where a merged file keeps its record, as the value of this key of the header's `__metadata__`. */
export const MERGE_RECORD_KEY = 'lineage';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const adapterConfigSchema = z.strictObject({
  alpha: z.number(),
  alphaPattern: z
    .array(z.tuple([z.string(), z.number()]).readonly())
    .readonly()
    .describe('Names of modules, or ends of names, with their alpha: the first that fits counts.'),
  isRankStabilised: z.boolean().describe('rsLoRA: alpha over the root of the rank.'),
  isTransposed: z.boolean(),
  savedModules: z.array(z.string()).readonly().describe('Modules whose whole weights stand in the file.'),
});

const sourceSchema = z.strictObject({
  name: z.string().describe('The file name, without its folder.'),
  dataSha256: hash.describe(
    'SHA-256 of the bytes after the header: what the file is, whatever its header says.',
  ),
  sha256: hash.optional().describe('SHA-256 of the whole file, where it was known.'),
  bytes: z.number().int().nonnegative(),
  architecture: z.string().optional(),
  licence: z.string().optional(),
  adapterConfig: adapterConfigSchema
    .optional()
    .describe('Of an adapter of PEFT: what the configuration beside it said of its scale.'),
  get record() {
    return mergeRecordSchema.optional().describe('The record of the source, where it had one.');
  },
});

/** All that is needed to make a merged file again, byte for byte, from its sources. */
export const mergeRecordSchema = z.strictObject({
  schema: z.literal('lineage:merge/1'),
  generator: z.strictObject({ name: z.string(), version: z.string() }),
  engine: z.number().int().describe('The version of the arithmetic; another one may give other bytes.'),
  mode: z.enum(['staged', 'fused']),
  step: z.string().describe('The step of the recipe whose output this file is.'),
  recipe: z
    .json()
    .describe(
      'The manifest as it ran, reduced to the steps that made this file; `source:N` for a path names a source.',
    ),
  get sources() {
    return z.array(sourceSchema);
  },
});

export type MergeRecord = z.infer<typeof mergeRecordSchema>;
export type MergeSource = z.infer<typeof sourceSchema>;

/** Records nest with every generation; a file may claim any number of them. */
const MAX_TEXT = 16 * 1024 * 1024;

/**
 * The record of a merged file, or undefined where there is none or it is not understood: a picture or another tool may
 * use the same key for what it likes.
 *
 * @param text the value of the key in `__metadata__`
 */
export function readMergeRecord(text: string | undefined): MergeRecord | undefined {
  if (text === undefined || text.length > MAX_TEXT) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  try {
    return mergeRecordSchema.safeParse(value).data;
  } catch (error) {
    // Nested deeper than the stack holds.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
