import { hash } from 'node:crypto';

/** The SHA-256 of a text's UTF-8, 64 lower-case hexadecimal digits; on this thread, so of short texts only. */
export function hashText(text: string): string {
  return hash('sha256', text, 'hex');
}
