import { Command } from 'commander';
import { type ComparedTensor, type ComparedWeights, compareWeights } from '../pipeline/compare-weights.ts';
import type { CommandContext } from './command-context.ts';

/** Tensors that are named; the document of `--json` has all. */
const SHOWN = 10;

/** `lineage compare A B`: how far two models are apart, in steps of the type that they are stored in. */
export function compareCommand({ terminal, signal, noteFinding }: CommandContext): Command {
  return new Command('compare')
    .description(
      'say how far the numbers of two models are apart, as what a staged and a fused pipeline make; status 4 if they are',
    )
    .argument('<first>', 'a safetensors file, or the index of a model in shards')
    .argument('<second>', 'another one')
    .option('--json', 'print one JSON document')
    .action(async (first: string, second: string, { json }: { readonly json?: boolean }) => {
      const compared = await compareWeights(first, second, signal);
      if (!isWithoutDifference(compared)) noteFinding();
      terminal.print(
        json ? JSON.stringify({ first, second, ...compared }) : describeComparison(compared).join('\n'),
      );
    });
}

function isWithoutDifference({ different, onlyInFirst, onlyInSecond, unlike }: ComparedWeights): boolean {
  return different + onlyInFirst.length + onlyInSecond.length + unlike.length === 0;
}

function describeComparison(compared: ComparedWeights): readonly string[] {
  const { tensors, elements, different, largestUlps, nan, differing } = compared;
  const more = differing.length - SHOWN;
  return [
    `${tensors} tensors of both, ${elements} elements`,
    different === 0
      ? 'all the same numbers'
      : `${different} elements in ${differing.length} tensors differ, by at most ${steps(largestUlps)}`,
    ...(nan > 0 ? [`${nan} of them are NaN in one only, and have no distance`] : []),
    ...differing.slice(0, SHOWN).map(describeTensor),
    ...(more > 0 ? [`  and ${more} more tensors`] : []),
    ...listed('only in the first', compared.onlyInFirst),
    ...listed('only in the second', compared.onlyInSecond),
    ...listed('of another type or shape', compared.unlike),
  ];
}

function describeTensor({ name, dtype, different, elements, largest, at }: ComparedTensor): string {
  const place = at === undefined ? '' : `, ${steps(largest)} at element ${at}`;
  return `  ${name} (${dtype}): ${different} of ${elements}${place}`;
}

function steps(count: number): string {
  return `${count} ${count === 1 ? 'ulp' : 'ulps'}`;
}

function listed(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length - SHOWN;
  return [`${what}: ${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}
