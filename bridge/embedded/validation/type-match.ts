/** ComfyUI's names of types that fit any other. */
const ANY = '*';
/** The front end alone checks these. */
const MATCH_TYPE = 'COMFY_MATCHTYPE_V3';

type SocketType = string | readonly string[];

/**
 * Whether an output may feed an input. Types are names, several by commas (one in common is enough), `*` for any; the
 * words of a menu stand for a menu's type, as old nodes spell it.
 *
 * @see ComfyUI 618b803d comfy_execution/validation.py validate_node_input
 */
export function typesMatch(received: SocketType, wanted: SocketType): boolean {
  if (isSameType(received, wanted)) return true;
  if ([received, wanted].some((type) => type === ANY || type === MATCH_TYPE)) return true;
  if (typeof received !== 'string') return wanted === 'COMBO';
  if (typeof wanted !== 'string') return false;
  const [offered, accepted] = [namesIn(received), namesIn(wanted)];
  return offered.has(ANY) || accepted.has(ANY) || [...offered].some((name) => accepted.has(name));
}

function isSameType(a: SocketType, b: SocketType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

function namesIn(type: string): Set<string> {
  return new Set(type.split(',').map((name) => name.trim()));
}
