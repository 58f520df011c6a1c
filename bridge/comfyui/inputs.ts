import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { readFields } from '../../nodes/kit/read-field.ts';
import type { Exchange } from './exchange.ts';
import { Handle } from './handle.ts';
import type { RunMessage, WireInput } from './messages.ts';

/**
 * Takes from the link what a node declares, and brings it into the values that its fields promise.
 *
 * @returns values by input name, without prototype; an optional input that is not connected is absent.
 * @throws LineageError `nodes/wrong-input`, what the parser of a field throws, and what the exchange throws
 */
export async function readInputs(
  definition: AnyNode,
  run: RunMessage,
  exchange: Exchange,
): Promise<Readonly<Record<string, unknown>>> {
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, wire] of run.inputs)
    if (Object.hasOwn(definition.inputs, name)) values[name] = await unpack(wire, exchange);
  return readFields(definition.inputs, values, run.nodeId, describeHandle);
}

async function unpack(wire: WireInput, exchange: Exchange): Promise<unknown> {
  switch (wire.kind) {
    case 'pixels':
      return await exchange.readPixels(wire.file);
    case 'handle':
      return new Handle(wire.id, wire.type);
    case 'float':
      return { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY }[wire.text];
    case 'json':
      return wire.value;
  }
}

function describeHandle(value: unknown): string | undefined {
  return value instanceof Handle ? `a ${value.type}` : undefined;
}
