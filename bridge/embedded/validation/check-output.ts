import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkNode, type PromptCheck, type Verdict } from './check-node.ts';
import { exceptionDuringValidation } from './input-errors.ts';

/** A node whose check has begun. */
type OpenCheck = { readonly id: string; readonly steps: AsyncGenerator<string, Verdict, Verdict> };

/** What a check is told of the node it asked for: its verdict, or that checking it threw. */
type Answer = { readonly verdict: Verdict } | { readonly thrown: unknown };

/** In a cycle every node waits for another: invalid, and nobody's own fault. ComfyUI runs into Python's recursion limit. */
const IN_CYCLE: Verdict = { valid: false, errors: [] };

/** Steps without a pause for other clients: about ten milliseconds of them. */
const STEPS_PER_TURN = 500;

/** Checks an output node and everything above it that has no verdict yet. */
export async function checkOutput(output: string, check: PromptCheck): Promise<Verdict> {
  const known = check.verdicts.get(output);
  if (known) return known;
  const stack: OpenCheck[] = [{ id: output, steps: checkNode(output, check) }];
  const open = new Set([output]);
  let answer: Answer | undefined;
  let steps = 0;
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    if (++steps % STEPS_PER_TURN === 0) await nextTurn();
    const next = await resume(top, answer);
    if ('asksFor' in next) {
      const verdict = check.verdicts.get(next.asksFor) ?? (open.has(next.asksFor) ? IN_CYCLE : undefined);
      answer = verdict && { verdict };
      if (verdict) continue;
      stack.push({ id: next.asksFor, steps: checkNode(next.asksFor, check) });
      open.add(next.asksFor);
      continue;
    }
    if ('verdict' in next) check.settle(top.id, next.verdict);
    answer = next;
    stack.pop();
    open.delete(top.id);
  }
  if (answer && 'thrown' in answer) {
    check.settle(output, { valid: false, errors: [exceptionDuringValidation(answer.thrown)] });
  }
  return check.verdicts.get(output) ?? IN_CYCLE;
}

/** Runs a check until it asks for a node, ends, or throws. */
async function resume(
  { steps }: OpenCheck,
  answer: Answer | undefined,
): Promise<Answer | { readonly asksFor: string }> {
  try {
    const step = await (answer && 'thrown' in answer
      ? steps.throw(answer.thrown)
      : steps.next(answer?.verdict ?? IN_CYCLE));
    return step.done ? { verdict: step.value } : { asksFor: step.value };
  } catch (thrown) {
    return { thrown };
  }
}
