/** A LoRA that a text loads; the strengths as the text spells them. */
type LoraTag = { readonly name: string; readonly model: string; readonly clip: string };

/** No name and no strength holds an angle bracket, so each character is looked at once. */
const TAG = /<lora:([^<>]+)>/g;
/** More than any prompt that people write has of either; one text may be read by every node of a graph. */
const MAX_CHARS = 65_536;
const MAX_TAGS = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/**
 * The LoRAs in a text, in its order: `<lora:name:strength>`, `<lora:name:model:clip>`, or without a strength
 * for 1. What is no number between the colons (block weights) is passed over. A LoRA whose strengths are both
 * 0 is none: it changes nothing.
 *
 * @param onCut called with how many tags are left out: those beyond 65536 characters, or beyond the first 64.
 */
export function loraTags(text: string, onCut?: (left: number) => void): LoraTag[] {
  const tags = [...text.slice(0, MAX_CHARS).matchAll(TAG)].slice(0, MAX_TAGS);
  if (onCut && (tags.length === MAX_TAGS || text.length > MAX_CHARS)) {
    const all = text.match(TAG)?.length ?? 0;
    if (all > tags.length) onCut(all - tags.length);
  }
  return tags.flatMap(([, inside = '']) => {
    const [name = '', ...rest] = inside.split(':').map((part) => part.trim());
    const [model = '1', clip = model] = rest.filter((part) => NUMBER.test(part));
    const loads = name !== '' && (Number(model) !== 0 || Number(clip) !== 0);
    return loads ? [{ name, model, clip }] : [];
  });
}

/** A text as it is encoded by a node that takes the tags out and leaves all else as it is. */
export function withoutLoraTags(text: string): string {
  return text.replace(TAG, '');
}
