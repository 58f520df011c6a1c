/** C0 and C1 control characters, and those that turn the direction of what follows. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A text of a stranger as one line for a terminal: whatever could steer it stands as `\u{1b}`. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`);
}
