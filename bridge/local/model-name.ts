/** Endings that ComfyUI's loaders know, in the order in which a name without one is completed. */
const MODEL_EXTENSIONS = ['.safetensors', '.sft', '.ckpt', '.pt', '.pth', '.bin', '.gguf'] as const;

/**
 * The parts of a model name as a workflow spells it: `sub/name.safetensors`, with `/` or (from Windows) `\`.
 * @returns 'outside' for what no model list ever holds and only an attack names: an absolute path, a drive letter,
 *   `..`, a NUL; an empty list where nothing is named.
 */
export function splitModelName(name: string): readonly string[] | 'outside' {
  if (name.includes('\0') || /^[/\\]/.test(name) || /^[A-Za-z]:/.test(name)) return 'outside';
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? 'outside' : parts;
}

/** File names that a name may stand for, the likeliest first: itself, then itself with each model extension. */
export function spellingsOf(name: string): readonly string[] {
  return [name, ...MODEL_EXTENSIONS.map((extension) => name + extension)];
}
