import { ERRORS, type ErrorCode, LineageError } from '../../nodes/kit/errors.ts';
import type { Finding } from '../../nodes/pipeline/finding.ts';

/** The first error among findings as one to throw; the others are told as events. Undefined where there is none. */
export function refusalOf(findings: readonly Finding[]): LineageError | undefined {
  const errors = findings.filter(({ level }) => level === 'error');
  const [first] = errors;
  if (!first || !isErrorCode(first.code)) return undefined;
  const place = [first.step === undefined ? undefined : `step "${first.step}"`, first.where];
  const said = place.filter((part) => part !== undefined).join(', ');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new LineageError(
    first.code,
    `${said === '' ? '' : `${said}: `}expected ${first.expected}, got ${first.got}${more}`,
  );
}

function isErrorCode(code: string): code is ErrorCode {
  return code in ERRORS;
}
