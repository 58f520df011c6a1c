/** One row of the table: a number, and the goal it has to meet where there is one. */
export type Measurement = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly ok?: boolean;
};

/** The value below which this part of the sample lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The quartile that compared times are taken at: others who use the machine only ever make a run slower. */
export const QUIET = 0.25;

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Milliseconds of one call. */
export function timeMs(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** A row that fails the bench unless the value is at most `limit`. */
export function atMost(name: string, value: number, unit: string, limit: number): Measurement {
  return { name, value, unit, goal: `<= ${limit}`, ok: value <= limit };
}
