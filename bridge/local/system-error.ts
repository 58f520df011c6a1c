/** The system's name of a failure (`ENOSPC`), or '' for an error of another kind. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
