import { z } from 'zod';
import { id, MAX_LIST, modelSchema, strict, text } from './manifest-words.ts';

const COMPARISONS = ['is', 'is_not', 'above', 'below', 'at_least', 'at_most'] as const;

/** A question about a model or a result, or several of them. Exactly one of the forms. */
export type Condition = {
  readonly model?: z.infer<typeof modelSchema> | undefined;
  readonly property?: 'architecture' | 'precision' | 'tensors' | 'bytes' | undefined;
  readonly step?: string | undefined;
  readonly score?: string | undefined;
  readonly is?: string | number | boolean | undefined;
  readonly is_not?: string | number | boolean | undefined;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly at_least?: number | undefined;
  readonly at_most?: number | undefined;
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
  readonly not?: Condition | undefined;
};

/** The schema of a condition; conditions nest. */
export const conditionSchema: z.ZodType<Condition, Condition> = z.lazy(() =>
  strict({
    model: modelSchema.optional().describe('Ask for a property of this model.'),
    property: z.enum(['architecture', 'precision', 'tensors', 'bytes']).optional(),
    step: id.optional().describe('Ask for a score that this validate or analysis step found.'),
    score: text.optional(),
    is: z.union([z.string(), z.number(), z.boolean()]).optional(),
    is_not: z.union([z.string(), z.number(), z.boolean()]).optional(),
    above: z.number().optional(),
    below: z.number().optional(),
    at_least: z.number().optional(),
    at_most: z.number().optional(),
    all: z.array(conditionSchema).min(1).max(MAX_LIST).optional(),
    any: z.array(conditionSchema).min(1).max(MAX_LIST).optional(),
    not: conditionSchema.optional(),
  }).refine(isOneQuestion, {
    error:
      '"model" with "property", "step" with "score" (each with a comparison such as "is" or "at_least"), or one of "all", "any", "not"',
  }),
);

function isOneQuestion(condition: Condition): boolean {
  const has = (keys: readonly (keyof Condition)[]): number =>
    keys.filter((key) => condition[key] !== undefined).length;
  const compared = has(COMPARISONS) > 0;
  const joins = has(['all', 'any', 'not']);
  const [ofModel, ofStep] = [has(['model', 'property']), has(['step', 'score'])];
  if (joins > 0) return joins === 1 && ofModel + ofStep === 0 && !compared;
  return compared && ((ofModel === 2 && ofStep === 0) || (ofModel === 0 && ofStep === 2));
}
