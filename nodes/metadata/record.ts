import { z } from 'zod';
import { META_FIELDS } from '../../rules/define.ts';
import { WARNINGS, type WarningCode } from '../kit/warnings.ts';
import type { CapturedFact } from './capture.ts';
import { allFacts, type Learnt } from './learn.ts';
import type { FactValue } from './normalise.ts';
import type { Resources } from './resolve.ts';
import type { SamplerEntry } from './samplers.ts';

/** Raised when a member changes its meaning; members are added without. */
export const RECORD_VERSION = 1;

const nodeId = z.string().describe('A node id of the prompt graph, e.g. "3" or "57:8".');
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));

const samplerSchema = z.object({
  nodeId,
  classType: z.string(),
  tier: z.enum(['A', 'B']).describe('A: a known sampler. B: known by its rule alone.'),
  samplerName: z.string().optional().describe("ComfyUI's spelling, e.g. dpmpp_2m."),
  scheduler: z.string().optional(),
  steps: z.number().int().optional().describe('Steps of the whole run.'),
  startStep: z.number().int().optional(),
  endStep: z.number().int().optional().describe('The last step that runs: inclusive.'),
  rangeLen: z.number().int().describe('How many steps run; 0 when unknown.'),
  isSegment: z.boolean().describe('A range was declared and is not the whole run.'),
  sourceRuleIds: z.array(z.string()),
});

const fieldSchema = z.object({
  field: z.enum(META_FIELDS),
  value: z.union([z.string(), z.number(), z.boolean()]).describe('Numbers as the graph spells them.'),
  nodeId,
  classType: z.string(),
  input: z.string().describe('The input it was read from; "" for a constant of the rule.'),
  rule: z.string().describe('pack/class.FIELD'),
  path: z
    .array(nodeId)
    .describe('From where the value was found down to the save node; … for the middle beyond 128 ids.'),
  sampler: nodeId.nullable().describe('The sampler it belongs to; null for facts of the picture.'),
});

const resourceSchema = z.object({
  kind: z.string(),
  name: z.string().describe('As the graph names it.'),
  found: z.boolean(),
  bytes: z.number().int().optional(),
  sha256: hex(64).optional(),
  autoV1: hex(8).optional(),
  autoV2: hex(10).optional(),
  autoV3: hex(12).optional(),
  civitai: z
    .object({
      modelVersionId: z.number().int(),
      modelName: z.string().optional(),
      versionName: z.string().optional(),
    })
    .optional()
    .describe('What a sidecar beside the file says that Civitai calls it.'),
});

/** The structured record inside a picture: PNG iTXt `lineage`, XMP `lineage:record`, `NAME.EXT.lineage.json`. */
export const recordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  generator: z.string(),
  saveNode: nodeId,
  samplers: z.array(samplerSchema).describe('Primary first.'),
  primary: nodeId.nullable(),
  prompts: z.array(z.object({ sampler: nodeId.nullable(), positive: z.string(), negative: z.string() })),
  size: z.object({ width: z.number().int(), height: z.number().int() }).optional(),
  batch: z.object({ index: z.number().int(), size: z.number().int() }).optional(),
  fields: z.array(fieldSchema),
  resources: z.array(resourceSchema),
  unknown: z.array(z.object({ nodeId, classType: z.string() })),
  dangling: z.array(z.object({ nodeId, input: z.string(), to: nodeId })),
});

export const warningSchema = z.object({
  code: z.enum(Object.keys(WARNINGS) as [WarningCode, ...WarningCode[]]),
  message: z.string(),
  where: z.string(),
});

const receiptSchema = z.array(
  z.object({
    reader: z.string(),
    sees: z.array(z.string()),
    loses: z.array(z.object({ what: z.string(), why: z.string() })),
  }),
);

export const stageSchema = z.enum(['full', 'reduced-exif', 'minimal', 'com-marker']);
export const droppedSchema = z.object({ what: z.string(), why: z.string() });

/** What `tag --json`, `trace --json` and `explain --json` print of a picture. */
export const documentSchema = recordSchema.omit({ generator: true }).extend({
  out: z.string().optional(),
  stage: stageSchema,
  parameters: z.string(),
  dropped: z.array(droppedSchema),
  warnings: z.array(warningSchema),
  receipt: receiptSchema.optional(),
  families: z
    .array(z.looseObject({ kind: z.enum(['file', 'operation']), name: z.string() }))
    .optional()
    .describe('Of explain: how the merged files came to be that the picture names and that --models holds.'),
});

type LineageRecord = z.infer<typeof recordSchema>;
export type LineageDocument = z.infer<typeof documentSchema>;

/** A record before it becomes JSON: exact numbers still stand for themselves. */
export type RecordData = Omit<LineageRecord, 'fields'> & {
  readonly fields: readonly (Omit<LineageRecord['fields'][number], 'value' | 'path'> & {
    readonly value: FactValue;
    readonly path: readonly string[];
  })[];
};

/** What is known of a picture, in the shape of `recordSchema`. Same input, same record: it holds no clock. */
export function toRecord(
  learnt: Learnt,
  resources: Resources,
  context: {
    readonly generator: string;
    readonly size?: { readonly width: number; readonly height: number };
    readonly batch?: { readonly index: number; readonly size: number };
    /** Default true. */
    readonly hashDetail?: boolean;
  },
): RecordData {
  const size = context.size ?? learnt.picture.size;
  return {
    version: RECORD_VERSION,
    generator: context.generator,
    saveNode: learnt.saveNode,
    samplers: learnt.samplers.map(toSampler),
    primary: learnt.primary?.nodeId ?? null,
    prompts: learnt.captures.map(({ nodeId: sampler, positive, negative }) => ({
      sampler,
      positive,
      negative,
    })),
    ...(size && { size }),
    ...(context.batch && { batch: context.batch }),
    fields: allFacts(learnt).map(toField),
    resources: [...resources.values()].map(({ kind, name, found, bytes, hashes, civitai }) => ({
      kind,
      name,
      found,
      ...(bytes !== undefined && { bytes }),
      ...(context.hashDetail === false && hashes ? { autoV2: hashes.autoV2 } : hashes),
      ...(civitai && { civitai }),
    })),
    unknown: [...learnt.unknown],
    dangling: [...learnt.dangling],
  };
}

function toSampler({
  distance: _distance,
  sourceRuleIds,
  ...entry
}: SamplerEntry): LineageRecord['samplers'][number] {
  return { ...entry, sourceRuleIds: [...sourceRuleIds] };
}

function toField(fact: CapturedFact): RecordData['fields'][number] {
  const { field, value, nodeId: node, classType, input, rule, sampler } = fact;
  return { field, value, nodeId: node, classType, input, rule, path: fact.path(), sampler };
}
