/** The words that every part of a manifest is written in: ids, paths, references to models. */
import { z } from 'zod';
import { nearestWord } from '../kit/nearest-word.ts';

/** Element types that an output may be stored in. */
export const PRECISIONS = ['fp32', 'fp16', 'bf16', 'fp8_e4m3', 'fp8_e5m2'] as const;
/** How many models, conditions or branches one list may have. */
export const MAX_LIST = 64;

/** An object without other keys; the message for one is what was expected in its place. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const [key] = issue.keys;
      const nearest = key === undefined ? undefined : nearestWord(key, known);
      return nearest === undefined
        ? `one of the keys ${known.join(', ')}`
        : `a known key, perhaps "${nearest}"`;
    },
  });
}

/** The id of a step; brackets are kept for the rounds of loops. */
export const id = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, 'an id of up to 100 letters, digits, "_", "-" and "."')
  .describe('Names the step; unique in the manifest.');
/** A path as the manifest spells it. */
export const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => !value.includes('\0'), { error: 'a path without NUL' })
  .describe('A file, relative to the folder of the manifest.');
/** Free text. */
export const text = z.string().max(10_000);

const modelShape = {
  path: path.optional(),
  step: id.optional().describe('Id of the step whose output this is.'),
  architecture: text.optional().describe('What the model is said to be; another one is an error.'),
  precision_detected: z
    .enum([...PRECISIONS, 'fp64', 'mixed', 'unknown'])
    .optional()
    .describe('What the file is said to hold; another one is a warning.'),
  name: text.optional(),
  description: text.optional(),
};
const isOneSource = ({ path, step }: { path?: unknown; step?: unknown }): boolean =>
  (path === undefined) !== (step === undefined);
const ONE_SOURCE = { error: 'either "path" or "step"' };

/** A reference to a model. */
export const modelSchema = strict(modelShape).refine(isOneSource, ONE_SOURCE);
/** A model with its weight in a sum. */
export const weightedSchema = strict({
  ...modelShape,
  weight: z
    .number()
    .optional()
    .describe('Of this model; 1 where it is not given, but in a plain sum without any, all count alike.'),
}).refine(isOneSource, ONE_SOURCE);
/** An adapter with its strength. */
export const loraSchema = strict({ ...modelShape, strength: z.number().default(1) }).refine(
  isOneSource,
  ONE_SOURCE,
);
