import { z } from 'zod';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import { ANY_TYPE, type WorkflowLink, type WorkflowNode } from './workflow.ts';

const numberSchema = z.union([z.number(), z.instanceof(ExactNumber).transform((exact) => exact.value)]);

/** Ids are numbers in most files and texts in some; they are compared as texts. */
export const idSchema = z.union([z.string(), z.number(), z.instanceof(ExactNumber)]).transform(String);

/** -1 and other slots that no node has stay as they are: nothing will be found there. */
export const slotNumberSchema = z.union([
  numberSchema,
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);

/** A socket type; a menu is saved as the list of its words, and LiteGraph writes 0 or -1 for any. */
export const typeSchema = z
  .unknown()
  .optional()
  .transform((type) =>
    typeof type === 'string' ? type || ANY_TYPE : Array.isArray(type) ? 'COMBO' : ANY_TYPE,
  );

const jsonSchema = z.custom<Json>((value) => value !== undefined);
const namedSchema = z
  .custom<Readonly<Record<string, Json>>>(isRecord)
  .transform((record) => new Map(Object.entries(record)));

const inputSchema = z
  .object({
    name: z.string().catch(''),
    type: typeSchema,
    link: idSchema.optional().catch(undefined),
    widget: z
      .object({ name: z.string() })
      .transform(({ name }) => name)
      .optional()
      .catch(undefined),
  })
  .transform(({ name, type, link, widget }) => ({ name, type, link, widget }));
const outputSchema = z.object({ name: z.string().catch(''), type: typeSchema });

/** A node of any version of the format; what is optional may also be wrong, and is then as if absent. */
export const nodeSchema: z.ZodType<WorkflowNode> = z
  .object({
    id: idSchema,
    type: z.string().min(1),
    title: z.string().optional().catch(undefined),
    mode: numberSchema.catch(0),
    inputs: z.array(inputSchema).catch([]),
    outputs: z.array(outputSchema).catch([]),
    widgets_values: z
      .union([z.array(jsonSchema), namedSchema])
      .optional()
      .catch(undefined),
    widgets_values_named: namedSchema.optional().catch(undefined),
    properties: namedSchema.catch(new Map()),
  })
  .transform(({ widgets_values, widgets_values_named, title, ...node }) => ({
    ...node,
    title,
    values: widgets_values,
    namedValues: widgets_values_named,
  }));

const linkTupleSchema = z
  .tuple([idSchema, idSchema, slotNumberSchema, idSchema, slotNumberSchema], z.unknown())
  .transform(([id, from, fromSlot, to, toSlot]) => ({ id, from, fromSlot, to, toSlot }));
const linkObjectSchema = z
  .object({
    id: idSchema,
    origin_id: idSchema,
    origin_slot: slotNumberSchema,
    target_id: idSchema,
    target_slot: slotNumberSchema,
  })
  .transform((link) => ({
    id: link.id,
    from: link.origin_id,
    fromSlot: link.origin_slot,
    to: link.target_id,
    toSlot: link.target_slot,
  }));

/** A link in the form of a list or of an object. */
export const linkSchema: z.ZodType<WorkflowLink & { readonly id: string }> = z.union([
  linkTupleSchema,
  linkObjectSchema,
]);
