import { z } from 'zod';
import { IMAGE_FORMATS } from '../kit/values.ts';
import { droppedSchema, stageSchema, warningSchema } from './record.ts';

const file = z.string().describe('As it was asked for: below the folder that was named.');
const error = z
  .object({ code: z.string(), message: z.string(), hint: z.string() })
  .optional()
  .describe('Why it failed.');

/** What `tag --jsonl` prints, one document a file. */
export const tagReportSchema = z.object({
  file,
  outcome: z
    .enum(['tagged', 'would-tag', 'right', 'left-alone', 'failed'])
    .describe('right: it holds all of this already. left-alone: it carries a text of its own (--untagged).'),
  format: z.enum(IMAGE_FORMATS).optional(),
  stage: stageSchema.optional(),
  bytesBefore: z.int().optional(),
  bytesAfter: z.int().optional(),
  parameters: z.string().optional(),
  dropped: z.array(droppedSchema),
  warnings: z.array(warningSchema),
  error,
});

/** What `undo --jsonl` prints, one document a file. */
export const undoReportSchema = z.object({
  file: z.string(),
  outcome: z
    .enum(['restored', 'would-restore', 'untouched', 'failed'])
    .describe('untouched: it is as it was before tagging.'),
  error,
});

export type TagReport = z.infer<typeof tagReportSchema>;
export type UndoReport = z.infer<typeof undoReportSchema>;
