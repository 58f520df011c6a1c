import { CheckpointPart } from '../../nodes/kit/checkpoint-part.ts';
import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { ExactNumber } from '../../nodes/kit/exact-json.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import type { Exchange } from './exchange.ts';
import { Handle } from './handle.ts';
import type { WireOutput } from './messages.ts';

/** Sockets whose values are pictures. */
const PICTURES = new Set(['IMAGE', 'MASK']);

/**
 * Packs what a node put out, in the order of its outputs. What it was given and hands on unchanged is named, not
 * copied; the caller releases the files when they are taken.
 *
 * @throws LineageError what the exchange throws
 */
export async function packOutputs(
  definition: AnyNode,
  outputs: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, unknown>>,
  exchange: Exchange,
): Promise<readonly WireOutput[]> {
  const packed: WireOutput[] = [];
  try {
    for (const [name, { type }] of Object.entries(definition.outputs))
      packed.push(await pack(outputs[name], name, type, inputs, exchange));
    return packed;
  } catch (error) {
    // Nobody will hear of these.
    for (const output of packed) if (output.kind === 'pixels') exchange.release(output.file.name);
    throw error;
  }
}

async function pack(
  value: unknown,
  name: string,
  type: string,
  inputs: Readonly<Record<string, unknown>>,
  exchange: Exchange,
): Promise<WireOutput> {
  if (PICTURES.has(type)) {
    const source = nameOfSame(value, inputs);
    if (source !== undefined) return { kind: 'same', input: source };
    return { kind: 'pixels', file: await exchange.writePixels(pictures(value, name)) };
  }
  if (value instanceof CheckpointPart) return { kind: 'checkpoint', part: value.part, file: value.file };
  if (value instanceof Handle) return { kind: 'handle', id: value.id, type: value.type };
  return packPlain(value);
}

function nameOfSame(value: unknown, inputs: Readonly<Record<string, unknown>>): string | undefined {
  if (!Array.isArray(value)) return undefined;
  for (const [name, input] of Object.entries(inputs)) {
    if (!Array.isArray(input) || input.length !== value.length) continue;
    if (input === value || input.every((each, index) => each === value[index])) return name;
  }
  return undefined;
}

function pictures(value: unknown, name: string): readonly Pixels[] {
  // A node of ours is typed, but outputs are held as unknown: anything else here is its author's mistake.
  if (Array.isArray(value)) return value;
  throw new Error(`output ${name}: expected pictures, got ${typeof value}`);
}

function packPlain(value: unknown): WireOutput {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { kind: 'float', text: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
  }
  return { kind: 'json', value: value ?? null };
}

/** JSON of a message to Python: whole numbers beyond a double's are spelled out, maps become objects. */
export function stringifyMessage(message: unknown): string {
  return JSON.stringify(message, (_key, value) => {
    if (typeof value === 'bigint') return new ExactNumber(value.toString()).toJSON();
    return value instanceof Map ? Object.fromEntries(value) : value;
  });
}
