import type { Scores } from '../../nodes/pipeline/measure-scores.ts';

/** What a validate or analysis step found, or what an extraction achieved. */
export type StepScores = {
  readonly scores: Scores;
  /** For an analysis: the same measures block by block. */
  readonly blocks?: Readonly<Record<string, Scores>>;
  /** What speaks against the model, and what was left out, in words. */
  readonly notes?: readonly string[];
  /** For an analysis: the blocks as people read them. */
  readonly table?: string;
};
