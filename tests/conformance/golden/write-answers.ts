import type { Answers } from './answers.ts';

/** One answer or message a line, so that a difference is one line of a diff. */
export function writeAnswers(answers: Answers): string {
  const cases = Object.entries(answers).map(([name, answer]) => {
    const text = Array.isArray(answer)
      ? `[\n${answer.map((message) => `  ${JSON.stringify(message)}`).join(',\n')}\n ]`
      : JSON.stringify(answer);
    return ` ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${cases.join(',\n')}\n}\n`;
}
