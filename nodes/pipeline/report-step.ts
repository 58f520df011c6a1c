/** Types of steps that look at models and find scores; they make no model and no file. */
const REPORTS: readonly unknown[] = ['validate', 'analysis'];

/** Whether a step only looks at models: what it finds can be asked for, but nothing can be loaded from it. */
export function isReport({ type }: { readonly type?: unknown }): boolean {
  return REPORTS.includes(type);
}
