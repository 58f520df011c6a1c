import { createDraw, type Draw } from '../draw.ts';
import { isPicture, type Kind, type PictureKind } from './kinds.ts';
import { mutatePicture } from './mutate-bytes.ts';
import { mutateDocument, mutateText } from './mutate-json.ts';
import type { Seeds } from './seeds.ts';

/** Memory is linear in the length of a text, some fifteen times it, and no editor makes graphs of that size. */
const MAX_TEXT_CHARS = 4_000_000;

/** The input of this number: the same bytes for the same seed, whatever ran before. */
export function makeInput(kind: Kind, seeds: Seeds, seed: number, index: number): Uint8Array {
  const draw = createDraw(seed, index);
  if (isPicture(kind))
    return mutatePicture(kind, { pictures: seeds.pictures[kind], packet: seeds.packet }, draw);
  for (;;) {
    const text = makeText(kind, seeds, draw);
    if (text.length <= MAX_TEXT_CHARS) return new TextEncoder().encode(text);
  }
}

function makeText(kind: Exclude<Kind, PictureKind>, seeds: Seeds, draw: Draw): string {
  if (kind === 'graph') return mutateDocument(draw.some(seeds.graphs), seeds.words, draw);
  if (kind === 'workflow') return mutateDocument(draw.some(seeds.workflows), seeds.words, draw);
  if (draw.once(3)) return mutateText(draw.some(seeds.ruleTexts) ?? '', draw);
  return mutateDocument(draw.some(seeds.rules), seeds.words, draw);
}
