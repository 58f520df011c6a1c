import { z } from 'zod';
import { idSchema, nodeSchema, slotNumberSchema } from './shapes.ts';

const settingsSchema = z.object({
  name: z.string().optional().catch(undefined),
  visible: z.boolean().optional().catch(undefined),
});
const slotSettingsSchema = z.record(z.string(), settingsSchema.catch({})).catch({});

/**
 * A group node as front ends before 1.45 saved it under `extra.groupNodes`. Nodes are named by their place in the list;
 * a link whose source is null came from outside.
 */
export const groupDataSchema = z.object({
  // Nodes of a group have no ids of their own.
  nodes: z.array(z.preprocess((raw) => ({ id: 0, ...Object(raw) }), nodeSchema)),
  links: z
    .array(
      z
        .tuple([idSchema.nullable(), slotNumberSchema, idSchema, slotNumberSchema], z.unknown())
        .transform(([from, fromSlot, to, toSlot]) => ({ from, fromSlot, to, toSlot })),
    )
    .catch([]),
  /** Outputs that were connected to the outside: place of the node, slot, type. */
  external: z
    .array(z.tuple([idSchema, slotNumberSchema], z.unknown()).transform(([node, slot]) => ({ node, slot })))
    .catch([]),
  config: z
    .record(
      z.string(),
      z.object({ input: slotSettingsSchema.optional(), output: slotSettingsSchema.optional() }).catch({}),
    )
    .catch({}),
});

/** What `groupDataSchema` gives. */
export type GroupData = z.infer<typeof groupDataSchema>;
