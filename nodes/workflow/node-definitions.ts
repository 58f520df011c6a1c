import { z } from 'zod';
import { LineageError } from '../kit/errors.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import { ANY_TYPE } from './workflow.ts';

/** An input of a class, as `/object_info` declares it. */
export type InputDefinition = {
  readonly name: string;
  /** A socket or widget type; `COMBO` for every menu. */
  readonly type: string;
  /** The words of a menu; empty where the server lists files. */
  readonly choices: readonly Json[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly isRequired: boolean;
};

/** A class as far as a workflow depends on it. */
export type NodeDefinition = {
  readonly title: string | undefined;
  /** Required before optional, each in the server's order. */
  readonly inputs: readonly InputDefinition[];
  readonly outputs: readonly string[];
};

/** Classes by their class type. */
export type NodeDefinitions = ReadonlyMap<string, NodeDefinition>;

const entrySchema = z.object({
  display_name: z.string().optional().catch(undefined),
  input: z.object({ required: z.unknown().optional(), optional: z.unknown().optional() }),
  input_order: z
    .object({ required: z.array(z.string()).catch([]), optional: z.array(z.string()).catch([]) })
    .catch({ required: [], optional: [] }),
  output: z.array(z.unknown()).catch([]),
});

/**
 * Reads what a server answers to `GET /object_info`: class types to what they take.
 *
 * @throws LineageError `workflow/object-info` when it is none
 */
export function parseNodeDefinitions(input: unknown): NodeDefinitions {
  if (!isRecord(input)) throw unfit('expected an object of classes');
  const found = new Map<string, NodeDefinition>();
  for (const [classType, raw] of Object.entries(input)) {
    const read = entrySchema.safeParse(raw);
    if (!read.success) continue;
    const { display_name, input: groups, input_order, output } = read.data;
    found.set(classType, {
      title: display_name,
      inputs: [
        ...readInputs(groups.required, input_order.required, true),
        ...readInputs(groups.optional, input_order.optional, false),
      ],
      outputs: output.map((type) => typeOf(type)),
    });
  }
  if (found.size === 0) throw unfit('expected classes with their inputs');
  return found;
}

function unfit(expected: string): LineageError {
  return new LineageError('workflow/object-info', `${expected}, got something else`);
}

/** The inputs of one group; also those of a word of a dynamic menu, which have the same shape. */
export function readInputs(
  group: unknown,
  order: readonly string[],
  isRequired: boolean,
): readonly InputDefinition[] {
  if (!isRecord(group)) return [];
  const names = [...order.filter((name) => Object.hasOwn(group, name))];
  const listed = new Set(names);
  names.push(...Object.keys(group).filter((name) => !listed.has(name)));
  return names.flatMap((name) => {
    const spec: unknown = group[name];
    if (!Array.isArray(spec)) return [];
    const options = isRecord(spec[1]) ? spec[1] : {};
    return [{ name, type: typeOf(spec[0]), choices: choicesOf(spec[0], options), options, isRequired }];
  });
}

function typeOf(type: unknown): string {
  if (Array.isArray(type)) return 'COMBO';
  return typeof type === 'string' && type !== '' ? type : ANY_TYPE;
}

function choicesOf(type: unknown, { options }: Readonly<Record<string, unknown>>): readonly Json[] {
  const list: readonly unknown[] = Array.isArray(type) ? type : Array.isArray(options) ? options : [];
  return list.filter(
    (each): each is Json =>
      typeof each === 'string' ||
      typeof each === 'number' ||
      typeof each === 'boolean' ||
      each instanceof ExactNumber,
  );
}
