/**
 * The format of a merge pipeline, as users write it in JSON or YAML. Keys are strict: one that is not here is an error
 * that names the nearest. `manifest.schema.gen.json` publishes the same for editors.
 */
import { z } from 'zod';
import { nearestWord } from '../kit/nearest-word.ts';
import { conditionSchema } from './condition-schema.ts';
import {
  id,
  loraSchema,
  MAX_LIST,
  modelSchema,
  PRECISIONS,
  path,
  strict,
  text,
  weightedSchema,
} from './manifest-words.ts';

/** The most times that a loop or an optimisation may run its steps. */
const MAX_TIMES = 1000;

const outputSchema = strict({
  path: path.optional().describe('Without it, a temporary file for later steps.'),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe('Of all floats; without it, as the first model has them.'),
  sharding: strict({ max_bytes: z.int().min(1).describe('Of the tensors of one file.') }).optional(),
});

const stepShape = {
  id,
  name: text.optional(),
  description: text.optional(),
  dependencies: z
    .array(id)
    .max(MAX_TIMES)
    .optional()
    .describe('Inferred from the references; one that is declared and not used is reported.'),
};
const makerShape = {
  ...stepShape,
  output: z.union([path, outputSchema]).optional().describe('A path, or more about the file.'),
  device: z.enum(['auto', 'cpu', 'cuda']).default('auto'),
};
const params = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const arithmeticShape = {
  params: params.optional().describe("The method's parameters by name."),
  base: modelSchema.optional(),
  missing: z
    .enum(['error', 'base', 'skip', 'renormalise'])
    .default('error')
    .describe(
      'A tensor that a model lacks: refuse; take it as unchanged from the base (the first model, without a base); leave the tensor out; or merge the models that have it, with their weights scaled up to the same sum.',
    ),
  not_finite: z
    .enum(['error', 'keep', 'zero'])
    .default('keep')
    .describe('NaN and infinities in inputs; counted.'),
  prune: z
    .union([z.boolean(), z.literal('ema')])
    .default(false)
    .describe(
      'Drops EMA copies, optimizer state and leftovers of training; "ema" keeps the EMA weights instead.',
    ),
  vae: modelSchema.optional().describe('Replaces the VAE.'),
};

const mergeShape = {
  ...makerShape,
  ...arithmeticShape,
  models: z.array(weightedSchema).min(1).max(MAX_LIST),
  method: text.optional().describe('Without it, the sum of the models times their weights.'),
};
const mergeStep = strict({ type: z.literal('merge'), ...mergeShape });

const blockMergeStep = strict({
  type: z.literal('block_merge'),
  ...makerShape,
  ...arithmeticShape,
  models: z.array(modelSchema).min(1).max(MAX_LIST),
  method: text.default('weighted-sum'),
  param: text.default('alpha').describe('The parameter of the method that the blocks set.'),
  blocks: z
    .union([text, z.array(z.number()).max(256), z.record(z.string(), z.number())])
    .describe('A preset by name; values in the order of the blocks; or values by name of the block.'),
  rest: z.number().optional().describe('The value for what belongs to no block.'),
});

const loraMergeStep = strict({
  type: z.literal('lora_merge'),
  ...makerShape,
  model: modelSchema,
  loras: z.array(loraSchema).min(1).max(MAX_LIST),
  vae: arithmeticShape.vae,
  prune: arithmeticShape.prune,
});

const embeddingMergeStep = strict({
  type: z.literal('embedding_merge'),
  ...makerShape,
  embeddings: z.array(weightedSchema).min(1).max(MAX_LIST),
  mode: z.enum(['sum', 'concat']).default('sum').describe('Sum vector by vector, or join the tokens.'),
});

const extractStep = strict({
  type: z.literal('extract'),
  ...makerShape,
  part: z.enum(['vae', 'text_encoder', 'lora']),
  model: modelSchema,
  base: modelSchema.optional().describe('For a LoRA: what the model grew from.'),
  rank: z.int().min(1).max(4096).optional().describe('For a LoRA.'),
}).refine(({ part, base }) => (part === 'lora') === (base !== undefined), {
  error: '"base" for a LoRA, and only there',
});

const convertStep = strict({
  type: z.literal('convert'),
  ...makerShape,
  model: modelSchema,
  prune: arithmeticShape.prune,
  vae: arithmeticShape.vae,
  key_space: text.optional().describe('The naming of tensors to convert to.'),
});

const validateStep = strict({
  type: z.literal('validate'),
  ...stepShape,
  model: modelSchema,
  against: modelSchema.optional().describe('What drift is measured from.'),
  checks: z
    .array(z.enum(['structure', 'finite', 'drift', 'inference']))
    .min(1)
    .default(['structure', 'finite']),
});

const analysisStep = strict({
  type: z.literal('analysis'),
  ...stepShape,
  models: z.array(modelSchema).min(1).max(MAX_LIST),
  base: modelSchema.optional(),
  measures: z
    .array(z.enum(['cosine', 'norms', 'sign_conflicts', 'shares']))
    .min(1)
    .default(['cosine', 'norms']),
});

const workSchema = z.discriminatedUnion('type', [
  mergeStep,
  blockMergeStep,
  loraMergeStep,
  embeddingMergeStep,
  extractStep,
  convertStep,
  validateStep,
  analysisStep,
]);

const tunedSchema = strict({
  step: id.describe('The step of the body that is tuned.'),
  model: z.int().min(0).optional().describe('Which of its models has its weight tuned; from 0.'),
  param: text.optional().describe('Or the parameter of its method.'),
  min: z.number(),
  max: z.number(),
})
  .refine(({ model, param }) => (model === undefined) !== (param === undefined), {
    error: 'either "model" or "param"',
  })
  .refine(({ min, max }) => min < max, { error: '"min" below "max"' });

const controlShapes = {
  if: { type: z.literal('if'), ...stepShape, condition: conditionSchema },
  loop: {
    type: z.literal('loop'),
    ...stepShape,
    times: z.int().min(1).max(MAX_TIMES),
    start: modelSchema.optional().describe('What the id of the loop means in its first round.'),
    until: conditionSchema.optional().describe('Asked after each round; ends the loop.'),
  },
  parallel: { type: z.literal('parallel'), ...stepShape },
  optimize: {
    type: z.literal('optimize'),
    ...stepShape,
    tune: z.array(tunedSchema).min(1).max(16),
    score: strict({ step: id, name: text }).describe('What to make best: a score of a step of the body.'),
    goal: z.enum(['maximise', 'minimise']).default('maximise'),
    trials: z.int().min(1).max(MAX_TIMES),
  },
};
const ifBase = strict(controlShapes.if);
const loopBase = strict(controlShapes.loop);
const parallelBase = strict(controlShapes.parallel);
const optimizeBase = strict(controlShapes.optimize);

/** A reference to a model: a file or the output of a step, one of the two. */
export type ModelRef = z.infer<typeof weightedSchema>;
/** A step that makes a file or a report. */
export type WorkStep = z.infer<typeof workSchema>;
export type MergeStep = z.infer<typeof mergeStep>;
export type BlockMergeStep = z.infer<typeof blockMergeStep>;
export type IfStep = z.infer<typeof ifBase> & {
  readonly then: readonly Step[];
  readonly else?: readonly Step[] | undefined;
};
export type LoopStep = z.infer<typeof loopBase> & { readonly steps: readonly Step[] };
type ParallelStep = z.infer<typeof parallelBase> & { readonly branches: readonly (readonly Step[])[] };
export type OptimizeStep = z.infer<typeof optimizeBase> & { readonly steps: readonly Step[] };
/** A step that runs others. */
type ControlStep = IfStep | LoopStep | ParallelStep | OptimizeStep;
export type Step = WorkStep | ControlStep;

const stepsSchema: z.ZodType<readonly Step[]> = z.lazy(() => z.array(stepSchema).min(1).max(10_000));
const stepSchema = z.discriminatedUnion(
  'type',
  [
    ...workSchema.options,
    // biome-ignore lint/suspicious/noThenProperty: the word of the format; a schema is never awaited.
    strict({ ...controlShapes.if, then: stepsSchema, else: stepsSchema.optional() }),
    strict({ ...controlShapes.loop, steps: stepsSchema }),
    strict({ ...controlShapes.parallel, branches: z.array(stepsSchema).min(1).max(MAX_LIST) }),
    strict({ ...controlShapes.optimize, steps: stepsSchema }),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? unknownType(issue.input) : undefined) },
);

/** Types of steps. */
export const STEP_TYPES = [
  'merge',
  'block_merge',
  'lora_merge',
  'embedding_merge',
  'extract',
  'convert',
  'validate',
  'analysis',
  'if',
  'loop',
  'parallel',
  'optimize',
] as const;

function unknownType(input: unknown): string {
  const all = `a step of type ${STEP_TYPES.join(', ')}`;
  const typed = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
  const nearest = typeof typed === 'string' ? nearestWord(typed, STEP_TYPES) : undefined;
  return nearest === undefined ? all : `${all} (perhaps "${nearest}")`;
}

const $schema = z.string().optional().describe('Address of this schema, for editors.');

/** A manifest of many steps. */
export const pipelineSchema = strict({
  $schema,
  pipeline: strict({
    name: text.optional(),
    description: text.optional(),
    steps: stepsSchema,
    cleanup: strict({
      temp_files: z.boolean().default(true).describe('Delete temporary files at the end of their use.'),
      keep_intermediates: z.boolean().default(false).describe('Keep them after all, for debugging.'),
    }).prefault({}),
  }),
});

/** A manifest of a single merge: the step itself. */
export const singleSchema = strict({
  $schema,
  ...mergeShape,
  id: id.default('merge'),
  type: z.literal('merge').default('merge'),
  output: makerShape.output.unwrap(),
});

/** Everything that a manifest may be. */
export const manifestSchema = z.union([pipelineSchema, singleSchema]);

/** A manifest as it was read, of one step or many. */
export type Manifest = z.infer<typeof pipelineSchema>['pipeline'];
