import { MismatchError } from '../../kit/errors.ts';
import { BLOCK_PRESETS } from './block-presets.ts';
import { blockNames } from './blocks.ts';
import type { Architecture, Convention } from './define.ts';

/** How the blocks are counted: see `blockNames`. */
export type BlockOptions = { readonly convention?: Convention; readonly names?: Iterable<string> };

/** BASE, IN00 to IN11, M00, OUT00 to OUT11. */
const LONG = 26;
const SHORT = 20;
/** More text than this is no list of weights. */
const MAX_TEXT = 20_000;

/**
 * Weights of blocks from what users write:
 * - a list in the order of `blockNames`, as numbers or as text with commas or spaces. 26 weights for a model of 20
 *   blocks lose IN09 to IN11 and OUT09 to OUT11, as in supermerger;
 * - the name of a preset (models of 26 or 20 blocks): `GRAD_V`;
 * - pairs `IN04=0.5`, `IN00-IN05=0.3`, `OUT*=1`, a later one over an earlier one, with commas or line ends between
 *   them. Blocks that no pair names have no weight in the answer.
 *
 * @returns block to weight, in the order of the blocks; a weight is any finite number
 * @throws LineageError `merge/block-weights`
 */
export function parseBlockWeights(
  input: string | readonly number[],
  architecture: Architecture,
  { convention = 'supermerger', names }: BlockOptions = {},
): ReadonlyMap<string, number> {
  const blocks = blockNames(architecture, convention, names);
  if (typeof input !== 'string') return fromList(input, blocks, architecture);
  if (input.length > MAX_TEXT) throw fault(`at most ${MAX_TEXT} characters`, `${input.length}`);
  const text = input.trim();
  if (/[=:]/.test(text)) return fromPairs(text, blocks);
  if (/^[\d.+-]/.test(text))
    return fromList(
      text
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(readWeight),
      blocks,
      architecture,
    );
  return fromList(presetWeights(text, blocks, architecture), blocks, architecture);
}

function fromList(
  weights: readonly number[],
  blocks: readonly string[],
  { title }: Architecture,
): ReadonlyMap<string, number> {
  const merged = blocks.filter((block) => block !== 'VAE');
  const fitting = weights.length === LONG && isUnet(merged, SHORT) ? shorten(weights) : weights;
  // sd-mecha's VAE is a block behind the others; lists in the field have none.
  const named = fitting.length === merged.length ? merged : blocks;
  if (fitting.length !== named.length) {
    const expected = isUnet(merged, SHORT) ? `${SHORT} or ${LONG}` : `${blocks.length}`;
    throw fault(`${expected} weights for ${title}`, `${weights.length}`);
  }
  for (const weight of fitting) if (!Number.isFinite(weight)) throw fault('finite weights', `${weight}`);
  return new Map(named.map((block, index) => [block, fitting[index] ?? 0]));
}

/** Without what a UNet of three levels has not: IN09 to IN11, OUT09 to OUT11. */
function shorten(weights: readonly number[]): readonly number[] {
  return [...weights.slice(0, 10), ...weights.slice(13, 23)];
}

function isUnet(blocks: readonly string[], count: number): boolean {
  return blocks.length === count && blocks.includes('M00');
}

function presetWeights(text: string, blocks: readonly string[], { title }: Architecture): readonly number[] {
  const preset = BLOCK_PRESETS.get(text.toUpperCase());
  if (preset === undefined) throw fault('weights, pairs BLOCK=WEIGHT or the name of a preset', quote(text));
  const merged = blocks.filter((block) => block !== 'VAE');
  if (!isUnet(merged, LONG) && !isUnet(merged, SHORT)) {
    throw fault(`weights for the blocks of ${title}; presets are for UNets`, `the preset ${quote(text)}`);
  }
  return [text.toUpperCase() === 'ALL_B' ? 1 : 0, ...preset];
}

function fromPairs(text: string, blocks: readonly string[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const pair of text.split(/[,;\n]/)) {
    if (pair.trim() === '') continue;
    const [, name, weight] = /^\s*([^\s=:]+)\s*[=:]\s*(\S+)\s*$/.exec(pair) ?? [];
    if (name === undefined || weight === undefined) throw fault('pairs BLOCK=WEIGHT', quote(pair.trim()));
    const value = readWeight(weight);
    for (const block of selectBlocks(name, blocks)) weights.set(block, value);
  }
  return new Map(
    blocks.flatMap((block): [string, number][] => {
      const weight = weights.get(block);
      return weight === undefined ? [] : [[block, weight]];
    }),
  );
}

/** One block, a range of them in the order of the list, or all that begin alike. */
function selectBlocks(name: string, blocks: readonly string[]): readonly string[] {
  const wanted = name.toUpperCase();
  const [from = '', to = from] = wanted.split('-');
  const [first, last] = [blocks.indexOf(from), blocks.indexOf(to)];
  const found = wanted.endsWith('*')
    ? blocks.filter((block) => block.startsWith(wanted.slice(0, -1)))
    : first < 0
      ? []
      : blocks.slice(first, last + 1);
  if (found.length === 0) throw fault(`one of ${describe(blocks)}`, quote(name));
  return found;
}

/** `BASE, IN00 ... OUT11`: long lists in short. */
function describe(blocks: readonly string[]): string {
  return blocks.length > 30 ? `${blocks.slice(0, 6).join(', ')} ... ${blocks.at(-1)}` : blocks.join(', ');
}

function readWeight(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw fault('a number as weight', quote(text));
  return value;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function fault(expected: string, got: string): MismatchError {
  return new MismatchError('merge/block-weights', { expected, got });
}
