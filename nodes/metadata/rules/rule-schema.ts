/**
 * The vocabulary of `rules/define.ts` as a schema, for rules that users write in JSON or YAML. A type-level test holds
 * the two equal, so a new word there needs its line here. `rules.schema.gen.json` publishes it for editors.
 */
import { z } from 'zod';
import {
  META_FIELDS,
  NORMALISERS,
  type Operand,
  type Operation,
  ROLES,
  STREAMS,
} from '../../../rules/define.ts';
import { nearestWord } from '../../kit/nearest-word.ts';

/** The message for a key that is not there says which one was probably meant. */
const onlyKeys = (known: readonly string[]) => ({
  error: (issue: z.core.$ZodRawIssue) => {
    if (issue.code !== 'unrecognized_keys') return undefined;
    const nearest = nearestWord(issue.keys[0] ?? '', known);
    return nearest === undefined
      ? `one of the keys ${known.join(', ')}`
      : `a known key, perhaps "${nearest}"`;
  },
});

/** An object without other keys. */
function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, onlyKeys(Object.keys(shape)));
}

const optional = z.exactOptional;
const name = z.string();
const slot = z.int().min(0);
const stream = z.enum(STREAMS);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const several = z.union([scalar, z.array(scalar)]);

/** What an input's value is held against. */
const tests = [
  { is: several, default: optional(scalar) },
  { not: several, default: optional(scalar) },
  { linked: z.boolean() },
] as const;
const [isTest, notTest, linkedTest] = tests;
const byInput = { input: name };
const byPrefix = { prefix: name };
export const conditionSchema = z.union([
  strict({ ...byInput, ...isTest }),
  strict({ ...byInput, ...notTest }),
  strict({ ...byInput, ...linkedTest }),
]);
const itemConditionSchema = z.union([
  strict({ ...byPrefix, ...isTest }),
  strict({ ...byPrefix, ...notTest }),
  strict({ ...byPrefix, ...linkedTest }),
]);
const conditions = z.union([conditionSchema, z.array(conditionSchema)]);
const anyCondition = z.union([conditionSchema, itemConditionSchema]);

/** What may stand beside any place. */
const beside = {
  on: optional(z.union([stream, z.array(stream)])).describe(
    'Counts only when reached on this stream, or one of these.',
  ),
  slot: optional(slot).describe('Counts only when reached through this output; the first is 0.'),
  if: optional(z.union([anyCondition, z.array(anyCondition)])).describe(
    'Counts only when all of these hold.',
  ),
  normalise: optional(z.enum(NORMALISERS)).describe('How the raw value becomes the fact.'),
  ends: optional(z.enum(['exclusive', 'inclusive'])).describe(
    'For END_STEP: whether the step it names still runs.',
  ),
};
export const placeSchema = z.union([
  strict({ input: name.describe('One input, a literal or what its link gives.'), ...beside }),
  strict({ inputs: z.array(name), join: optional(z.string()), ...beside }),
  strict({
    prefix: name.describe('Every input whose name starts so.'),
    suffix: optional(name),
    count: optional(name),
    ...beside,
  }),
  strict({ output: slot.describe('What the node itself put out at this slot.'), ...beside }),
  strict({ value: scalar.describe('A constant.'), ...beside }),
  strict({
    list: name,
    at: optional(z.union([z.number(), z.string()])),
    when: optional(name),
    ...beside,
  }),
  strict({ entries: name, key: name, when: optional(name), ...beside }),
  strict({ tags: z.union([name, z.array(name)]), part: z.enum(['name', 'model', 'clip']), ...beside }),
  strict({ key: name.describe('What the bundle that comes in holds under this key.'), ...beside }),
]);

/** Operations nest in operands; a reader refuses what nests too deep before it comes here. */
const operand: z.ZodType<Operand> = z.lazy(() => operandSchema);
const op = <const N extends string, S extends z.core.$ZodLooseShape>(word: N, shape: S) =>
  strict({ op: z.literal(word), ...shape });
export const operationSchema = z.discriminatedUnion('op', [
  op('join', {
    parts: z.union([z.array(operand), strict({ prefix: name })]),
    separator: operand,
    skipEmpty: optional(z.boolean()),
  }),
  op('replace', { text: operand, find: operand, with: operand }),
  op('regex-replace', {
    text: operand,
    find: operand,
    with: operand,
    ignoreCase: optional(operand),
    multiline: optional(operand),
    dotAll: optional(operand),
    count: optional(operand),
  }),
  op('trim', { text: operand, mode: optional(operand) }),
  op('case', { text: operand, mode: operand }),
  op('slice', { text: operand, start: operand, end: operand }),
  op('length', { text: operand }),
  op('contains', { text: operand, find: operand, caseSensitive: optional(operand) }),
  op('compare', { a: operand, b: operand, mode: operand, caseSensitive: optional(operand) }),
  op('pick', { by: operand, cases: z.record(z.string(), operand), otherwise: optional(operand) }),
  op('cast', { of: operand, to: z.enum(['int', 'float', 'string', 'boolean']) }),
]);
const operation: z.ZodType<Operation> = operationSchema;
export const operandSchema = z.union([
  strict({ input: name, default: optional(scalar) }),
  strict({ value: scalar }),
  operation,
]);

const slots = { slots: optional(z.array(slot)) };
const switchSchema = z.union([
  strict({ by: name, cases: z.record(z.string(), name), ...slots }),
  strict({ by: name, prefix: name, ...slots }),
  strict({ first: name, ...slots }),
]);

const pipeSchema = strict({
  from: z.union([z.array(name), strict({ prefix: name })]),
  slots: z.array(z.string().nullable()),
  prefer: optional(z.enum(['first', 'last'])),
  keys: optional(z.record(z.string(), name)),
  makes: optional(z.record(z.string(), slot)),
});

const onto = z.union([stream, z.literal('same'), z.array(stream)]);

/** All that a rule says of one class type. */
export const nodeRuleSchema = strict({
  role: z.enum(ROLES).describe('What the node is for.'),
  takes: optional(z.record(name, onto)).describe(
    'Linked inputs that are followed, and the stream they are then on.',
  ),
  uses: optional(z.record(name, stream)).describe('Keys taken out of the bundle that comes in.'),
  only: optional(z.record(name, conditions)).describe(
    'Inputs and keys that are followed only on a condition.',
  ),
  gives: optional(z.array(z.array(name))).describe('For each output slot, the inputs that it carries on.'),
  puts: optional(z.array(stream)).describe('What each output slot is.'),
  reads: optional(
    z.partialRecord(z.enum(META_FIELDS), z.union([placeSchema, z.array(placeSchema)]), onlyKeys(META_FIELDS)),
  ).describe('Fields, and where they lie.'),
  joins: optional(z.string()).describe('What stands between prompts that meet here; a newline without it.'),
  switch: optional(switchSchema).describe('Which input goes on.'),
  pipe: optional(pipeSchema).describe('A bundle of named values.'),
  computes: optional(z.array(operationSchema)).describe(
    "How each output slot's value follows from the inputs.",
  ),
  resizes: optional(z.union([z.literal(true), conditions])).describe("The picture's size changes here."),
});

/** A file of rules that a user writes. */
export const userRulesSchema = strict({
  $schema: optional(z.string()).describe('Address of this schema, for editors.'),
  version: z.literal(1).describe('Of this format.'),
  pack: optional(z.string().min(1).max(200)).describe(
    'Names the rules in records; the name of the file without it.',
  ),
  source: optional(z.string().max(2000)).describe('Where the class types were read.'),
  nodes: z.record(name, nodeRuleSchema).describe('Rules by class type.'),
});
