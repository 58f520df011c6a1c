import type { ReaderId } from '../readers/reader.ts';

/** `error`: a reader shows nothing, or something wrong; `warning`: it loses a part; `note`: so it is, nothing is to be done. */
export const SEVERITIES = ['note', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that a picture's metadata may suffer from. Ids and names are promises. */
export type LintRule = {
  /** `M` and three digits: 0 the file itself, 1 Civitai, 2 A1111, 3 sd-prompt-reader, 4 ComfyUI, 5 sd-metadata, 6 Image-MetaHub. */
  readonly id: string;
  readonly name: string;
  readonly severity: Severity;
  /** Whose rule it is; absent for what concerns every reader. */
  readonly reader?: ReaderId;
  /** Why, in one sentence. */
  readonly reason: string;
  /** What to do. */
  readonly action: string;
};

/** A rule in a table by name. */
export type RuleText = Omit<LintRule, 'name'>;

/** What was found in one picture. */
export type LintFinding = {
  readonly rule: LintRule;
  /** What is concerned: a field, a chunk, a tag. */
  readonly what: string;
  /** What was found there, one line. */
  readonly message: string;
};
