/** A message as far as it does not differ from run to run: what, of which node, and what else it holds. */
export type Brief = readonly [event: string, ...facts: unknown[]];

/** Messages that say how far a node is come as often as time allows. */
const TIMED = new Set(['progress', 'progress_state', 'status']);

/** Shortens a message; undefined for those that depend on time. */
export function shorten(event: string, data: Readonly<Record<string, unknown>>): Brief | undefined {
  if (TIMED.has(event)) return undefined;
  const keys = Object.keys(data).sort().join(' ');
  switch (event) {
    case 'executing':
      return [event, data['node'], data['display_node'], keys];
    case 'executed':
      return [event, data['node'], data['display_node'], Object.keys(data['output'] ?? {}), keys];
    case 'execution_cached':
      return [event, sorted(data['nodes']), keys];
    case 'execution_error':
      return [
        event,
        data['node_id'],
        data['node_type'],
        sorted(data['executed']),
        Object.keys(data['current_inputs'] ?? {}),
        sorted(data['current_outputs']),
        String(data['exception_message']).endsWith('\n'),
        keys,
      ];
    default:
      return [event, keys];
  }
}

/** Lists that ComfyUI makes from sets come in any order. */
function sorted(list: unknown): unknown {
  return Array.isArray(list) ? list.toSorted() : list;
}
