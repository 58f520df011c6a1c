import { createDiffer } from './deltas.ts';
import { ELECTION_PARAMS, sumElected } from './elect-sign.ts';
import type { ParamValues, Survey, TensorView } from './method.ts';
import { type Cut, findRank, KEEP_NONE, NARROW_LEVELS } from './select-magnitude.ts';
import { DENSITY, sieveDeltas } from './sparsify.ts';

/**
 * TIES over a whole model that is read tensor by tensor: three rounds of histograms find one threshold for each model,
 * a fourth, where a draw is to take the sign of the majority, sums the elected signs. Ties at the threshold are kept in
 * the order of the tensors' names and, within a tensor, of the elements.
 */
export const TIES_PARAMS = {
  density: {
    ...DENSITY,
    tooltip: 'Share of the elements of each difference that are kept, the largest first.',
  },
  scope: {
    default: 'tensor',
    choices: ['tensor', 'global'],
    tooltip: 'Whether the share is of each tensor, or of the whole model as in the paper.',
  },
  keep: {
    default: 'exact',
    choices: ['exact', 'threshold'],
    tooltip:
      'Keep exactly ⌊density · elements⌋, or, as the code of the paper, all that is not below the element after them.',
  },
  ...ELECTION_PARAMS,
} as const;
type Values = ParamValues<typeof TIES_PARAMS>;

const SELECT_ROUNDS = NARROW_LEVELS.length;

/** How many elements to keep of so many. */
export function countKept({ density, keep }: Pick<Values, 'density' | 'keep'>, size: number): number {
  const kept = Math.floor(density * size);
  return keep === 'exact' ? kept : Math.min(size, kept + 1);
}

/** A cut by the rule `keep`: a threshold keeps all its ties. */
export function cutBy(keep: Values['keep'], cut: Cut): Cut {
  return keep === 'exact' || cut === KEEP_NONE ? cut : { threshold: cut.threshold, ties: Infinity };
}

/** What a selecting round combines to, for each model: the bits found so far and the rank among those that share them. */
const STATE = 2;
/** The last one adds how many ties each tensor keeps. A rank of 0: nothing is kept; of infinity: everything. */
function readState(round: Float64Array | undefined, model: number, stride = STATE): Cut {
  return { threshold: round?.[model * stride] ?? 0, ties: round?.[model * stride + 1] ?? 0 };
}

/** The cuts of one tensor, from the rounds of the survey. */
export function surveyedCuts(
  { survey, index, weights }: Pick<TensorView, 'survey' | 'index' | 'weights'>,
  keep: Values['keep'],
): Cut[] {
  const last = survey[SELECT_ROUNDS - 1];
  const stride = (last?.length ?? 0) / weights.length;
  return weights.map((_, model) => {
    const { threshold, ties } = readState(last, model, stride);
    if (ties === 0) return KEEP_NONE;
    return cutBy(keep, { threshold, ties: last?.[model * stride + STATE + index] ?? 0 });
  });
}

export const TIES_SURVEY: Survey<typeof TIES_PARAMS> = {
  rounds: ({ scope, zero_sign: zeroSign }) =>
    scope === 'tensor' ? 0 : SELECT_ROUNDS + (zeroSign === 'majority' ? 1 : 0),

  look(view, round) {
    const level = NARROW_LEVELS[round];
    if (!level) {
      const cuts = surveyedCuts(view, view.params.keep).map((cut) => [cut]);
      return Float64Array.of(sumElected(view, sieveDeltas(view, cuts), view.params));
    }
    return countColumns(view, level, round);
  },

  combine(found, round, params, before) {
    const level = NARROW_LEVELS[round];
    if (!level) return Float64Array.of(found.reduce((sum, part) => sum + (part[0] ?? 0), 0));
    const bins = 2 ** level.bits;
    const models = (found[0]?.length ?? 0) / bins;
    const isLast = round === SELECT_ROUNDS - 1;
    const stride = isLast ? STATE + found.length : STATE;
    const state = new Float64Array(models * stride);
    for (let model = 0; model < models; model++) {
      const parts = found.map((part) => part.subarray(model * bins, (model + 1) * bins));
      const counts = parts.reduce(
        (sum, part) => sum.map((n, bin) => n + (part[bin] ?? 0)),
        new Float64Array(bins),
      );
      const { threshold: prefix, ties: rank } =
        round === 0 ? { threshold: 0, ties: firstRank(counts, params) } : readState(before[round - 1], model);
      const isSettled = rank === 0 || rank === Infinity;
      const step = isSettled ? { bin: 0, rank } : findRank(counts, rank);
      state.set([prefix * bins + step.bin, step.rank], model * stride);
      let left = step.rank;
      for (const [index, part] of isLast ? parts.entries() : []) {
        const ties = Math.min(left, part[step.bin] ?? 0);
        state[model * stride + STATE + index] = ties;
        left -= ties;
      }
    }
    return state;
  },
};

/** The histograms of one tensor, one for each model, behind one another. */
function countColumns(
  view: Pick<TensorView, 'survey' | 'count' | 'arithmetic' | 'visit'>,
  level: (typeof NARROW_LEVELS)[number],
  round: number,
): Float64Array {
  const differ = createDiffer(view.arithmetic);
  const bins = 2 ** level.bits;
  const counts = view.arithmetic.counters(view.count * bins);
  view.visit((tile) => {
    differ(tile).forEach((delta, model) => {
      const { threshold: prefix } = readState(view.survey[round - 1], model);
      view.arithmetic.countLevel(delta, level, prefix, counts.subarray(model * bins, (model + 1) * bins));
    });
  });
  return Float64Array.from(counts);
}

/** The rank of the last element that is kept of a whole model. */
function firstRank(counts: Float64Array, params: Values): number {
  const size = counts.reduce((sum, count) => sum + count, 0);
  const kept = countKept(params, size);
  return kept >= size ? Infinity : kept;
}
