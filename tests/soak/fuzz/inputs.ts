import { createDraw } from './draw.ts';
import { isPicture, type Kind } from './kinds.ts';
import { mutatePicture } from './mutate-bytes.ts';
import { mutateDocument, mutateText } from './mutate-json.ts';
import type { Seeds } from './seeds.ts';

/** The input of this number: the same bytes for the same seed, whatever ran before. */
export function makeInput(kind: Kind, seeds: Seeds, seed: number, index: number): Uint8Array {
  const draw = createDraw(seed, index);
  if (isPicture(kind))
    return mutatePicture(kind, { pictures: seeds.pictures[kind], packet: seeds.packet }, draw);
  if (kind === 'graph') return utf8(mutateDocument(draw.some(seeds.graphs), seeds.words, draw));
  if (kind === 'workflow') return utf8(mutateDocument(draw.some(seeds.workflows), seeds.words, draw));
  if (draw.once(3)) return utf8(mutateText(draw.some(seeds.ruleTexts) ?? '', draw));
  return utf8(mutateDocument(draw.some(seeds.rules), seeds.words, draw));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
