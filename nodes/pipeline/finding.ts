import { ERRORS, type ErrorCode } from '../kit/errors.ts';
import { WARNINGS, type WarningCode } from '../kit/warnings.ts';

/** Something that a check of a pipeline found. Errors stop the run before a byte is written; warnings stop nothing. */
export type Finding = {
  readonly level: 'error' | 'warning';
  readonly code: ErrorCode | WarningCode;
  /** Id of the step it is about; absent where it is about the whole. */
  readonly step?: string;
  /** Path into the manifest, like `pipeline.steps[2].models[0].step`, or a file. */
  readonly where?: string;
  readonly expected: string;
  readonly got: string;
  /** What to do, or for a warning what it means. */
  readonly hint: string;
};

/** What a check says beside its code. */
export type Detail = Pick<Finding, 'step' | 'where' | 'expected' | 'got'> & {
  /** Where something better can be said than the code's own line. */
  readonly hint?: string;
};

/** A finding that stops the run. */
export function fail(code: ErrorCode, detail: Detail): Finding {
  return { level: 'error', code, hint: ERRORS[code], ...detail };
}

/** A finding that stops nothing. */
export function caution(code: WarningCode, detail: Detail): Finding {
  return { level: 'warning', code, hint: WARNINGS[code], ...detail };
}

/** One finding as a line to print: where, what was expected, what came, what to do. */
export function describeFinding({ level, step, where, expected, got, hint }: Finding): string {
  const place = [step === undefined ? undefined : `step "${step}"`, where].filter(
    (part) => part !== undefined,
  );
  const head = place.length === 0 ? level : `${level} in ${place.join(', ')}`;
  return `${head}: expected ${expected}, got ${got}. ${hint}`;
}

/** How many names a message shows before it only counts. */
const SHOWN_NAMES = 10;

/** `"a", "b" and 7 more`. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map((name) => JSON.stringify(name));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
