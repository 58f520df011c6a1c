import { describe, expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import {
  type conditionSchema,
  nodeRuleSchema,
  type operandSchema,
  type operationSchema,
  type placeSchema,
} from '../../../nodes/metadata/rules/rule-schema.ts';
import type { Condition, NodeRule, Operand, Operation, Place } from '../../../rules/define.ts';
import { rulePacks } from '../../../rules/index.gen.ts';

/** What a schema gives is freshly made and may be changed; the vocabulary's types may not. */
type ReadonlyDeep<T> = T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T;
type Given<S extends z.ZodType> = ReadonlyDeep<z.output<S>>;

test('the schema is the vocabulary: its types are those of rules/define.ts, both ways', () => {
  expectTypeOf<Given<typeof conditionSchema>>().branded.toEqualTypeOf<Condition>();
  expectTypeOf<Given<typeof placeSchema>>().branded.toEqualTypeOf<Place>();
  expectTypeOf<Given<typeof operandSchema>>().branded.toEqualTypeOf<Operand>();
  expectTypeOf<Given<typeof operationSchema>>().branded.toEqualTypeOf<Operation>();
  expectTypeOf<Given<typeof nodeRuleSchema>>().branded.toEqualTypeOf<NodeRule>();
});

describe('every rule of every pack is a rule that a user could write', () => {
  test.each(rulePacks.map((pack) => [pack.pack, pack.nodes] as const))('%s', (_, nodes) => {
    for (const [classType, rule] of Object.entries(nodes)) {
      const read = nodeRuleSchema.safeParse(rule);
      expect(read.error?.issues ?? [], classType).toEqual([]);
      expect(read.data, classType).toEqual(rule);
    }
  });
});
