import type { Term } from './method.ts';

/** How much of an input the result holds: an index of a model, or `BASE`. */
export type Share = { readonly input: number; readonly share: number };

/**
 * `Σ share * input`, written around the first input that has a share: `s * a + share_b * (b - a) + …`, `s` being the
 * sum of shares in float32. Identical inputs therefore give `s * input`, which for a sum of 1 is the input bit for
 * bit; and one share of 1 alone gives that input bit for bit. Inputs without a share are not read.
 */
export function sumShares(shares: readonly Share[]): Term[] {
  const [pivot, ...others] = shares.filter(({ share }) => share !== 0);
  if (!pivot) return [{ weight: 0, plus: shares[0]?.input ?? 0 }];
  const sum = shares.reduce((total, { share }) => total + share, 0);
  return [
    { weight: Math.fround(sum), plus: pivot.input },
    ...others.map(({ input, share }) => differenceTerm(share, input, pivot.input)),
  ];
}

/**
 * `weight * (plus - minus)` as a term to be added. It is turned so that its weight is negative: equal inputs then give
 * -0, the only summand that leaves both +0 and -0 as they are. All else is the same either way.
 */
export function differenceTerm(weight: number, plus: number, minus: number): Term {
  return weight > 0 ? { weight: -weight, plus: minus, minus: plus } : { weight, plus, minus };
}
