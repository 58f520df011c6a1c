import { READERS } from '../../../nodes/metadata/readers/index.ts';
import type { Reader, ReaderView, Sees } from '../../../nodes/metadata/readers/reader.ts';
import { viewFile } from '../../../nodes/metadata/readers/view.ts';
import type { Picture } from './cases.ts';
import type { Cell } from './exceptions.ts';
import { expectedOf, FACTS } from './expected.ts';
import { type OutsideReader, outsideReaders } from './outside-readers.ts';

/** Every cell of the readers that are there. */
export async function cellsOf(pictures: readonly Picture[]): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const reader of outsideReaders) {
    if (reader.available) cells.push(...(await outsideCells(reader, pictures)));
  }
  return [...cells, ...restatedCells(pictures)];
}

/** The cells of a foreign reader: the text whole, and the three JSON documents where the file carries them. */
async function outsideCells(reader: OutsideReader, pictures: readonly Picture[]): Promise<Cell[]> {
  const seen = await reader.read(pictures);
  return pictures.flatMap((picture, index) => {
    const { embedded, variant, prompt, workflow, record } = picture;
    const isFull = embedded.stage === 'full';
    const hasGraphs = isFull && variant.withGraphs;
    const hasRecord = isFull && !embedded.dropped.some(({ what }) => what === 'lineage:record');
    const cell = (what: 'parameters' | 'prompt' | 'workflow' | 'record', wanted: string): Cell => {
      const text = seen[index]?.[what];
      return {
        reader: reader.name,
        picture,
        what,
        wanted: tidy(what, wanted),
        seen: text && tidy(what, text),
      };
    };
    return [
      cell('parameters', expectedOf(picture).text),
      ...(hasGraphs ? [cell('prompt', prompt), cell('workflow', workflow)] : []),
      ...(hasRecord ? [cell('record', record)] : []),
    ];
  });
}

/**
 * A record is the same document however its characters are escaped. An ASCII UserComment is padded to an even length
 * by one space.
 */
function tidy(what: string, text: string): string {
  if (what === 'parameters') return text.replace(/ $/, '');
  if (what !== 'record') return text;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return `not JSON: ${text}`;
    throw error;
  }
}

/** The cells of our restatements of what generators' own readers do. */
function restatedCells(pictures: readonly Picture[]): Cell[] {
  return pictures.flatMap((picture) => {
    const view = viewFile(picture.embedded.bytes);
    return READERS.flatMap((reader) => restatedCellsOf(reader, view, picture));
  });
}

/**
 * A file that a reader does not open, or throws away, is one cell. A reader that takes the graph does not look at the
 * text: then only the graphs count.
 */
function restatedCellsOf(reader: Reader, view: ReaderView, picture: Picture): Cell[] {
  const { sees, ok } = reader.read(view);
  const { positive, negative } = expectedOf(picture);
  const cell = (what: string, wanted: string, seen: string | undefined): Cell => ({
    reader: reader.id,
    picture,
    what,
    wanted,
    seen,
  });
  const cells = [cell('file', 'read', ok ? 'read' : undefined)];
  if (!ok) return cells;
  if (picture.variant.withGraphs && picture.embedded.stage === 'full' && reader.holds.includes('workflow'))
    cells.push(cell('graphs', 'prompt workflow', graphsIn(sees)));
  if (sees.fromGraph) return cells;
  cells.push(cell('positive', positive, sees.positive), cell('negative', negative, sees.negative));
  const facts = { ...FACTS, model: picture.variant.model ?? FACTS.model };
  cells.push(cell('details', list(facts), list(pick(sees, Object.keys(facts)))));
  cells.push(cell('size', '16x16', sees.size));
  return cells;
}

function graphsIn({ prompt, workflow }: Sees): string | undefined {
  return [prompt && 'prompt', workflow && 'workflow'].filter(Boolean).join(' ') || undefined;
}

function pick(sees: Sees, names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(sees).filter(([name]) => names.includes(name)));
}

/** `cfg 7, seed 42`, sorted. */
function list(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
    .join(', ');
}
