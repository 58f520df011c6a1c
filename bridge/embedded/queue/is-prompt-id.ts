/** Whether a value is a UUID as ComfyUI since 0.26 wants prompt ids: a text in lower case, with hyphens. */
export function isPromptId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}
