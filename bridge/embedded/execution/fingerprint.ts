import type { ApiNode } from '../../../nodes/kit/api-prompt.ts';
import { ExecutionBlocker, type RunContext } from '../../../nodes/kit/graph-node.ts';
import { allValues, callForEach } from './call-node.ts';
import { canonicalText } from './canonical-value.ts';
import type { RunningPrompt } from './dynamic-prompt.ts';
import { gatherInputs } from './gather-inputs.ts';
import { Interrupted, throwIfInterrupted, unlessInterrupted } from './interrupt.ts';
import type { NodeShape } from './node-shape.ts';

/** What nodes say their results depend on beside their inputs. */
export type Fingerprints = {
  /** Asks the nodes. @throws Interrupted; what a node throws is logged, and makes its result always new */
  ask(ids: Iterable<string>): Promise<void>;
  /** As canonical text; undefined where it equals nothing. The same for all nodes that were not asked or have none. */
  of(id: string): string | undefined;
};

const NONE = 'none';

/** Fingerprints see literals only: links arrive as undefined, whatever has been computed. */
export function createFingerprints(run: {
  readonly prompt: RunningPrompt;
  readonly shapeOf: (classType: string) => NodeShape;
  readonly signal: AbortSignal;
  contextOf(id: string): RunContext;
  log(level: 'warn', message: string): void;
}): Fingerprints {
  const texts = new Map<string, string | undefined>();

  async function askNode(id: string, node: ApiNode, shape: NodeShape): Promise<string | undefined> {
    const context = run.contextOf(id);
    const inputs = gatherInputs(
      node,
      shape,
      () => undefined,
      (filling) => (filling === 'UNIQUE_ID' ? id : undefined),
    );
    const calls = callForEach<unknown>(inputs, {
      takesLists: shape.node.inputIsList === true,
      before: () => throwIfInterrupted(run.signal),
      blocked: (blocker) => blocker,
      call: (ofCall) => shape.node.fingerprint?.(ofCall, context),
    });
    const values = await unlessInterrupted(Promise.resolve(calls).then(allValues), run.signal);
    return canonicalText(values.map((value) => (value instanceof ExecutionBlocker ? null : value)));
  }

  return {
    async ask(ids) {
      for (const id of ids) {
        texts.delete(id);
        const node = run.prompt.node(id);
        if (!node) continue;
        const shape = run.shapeOf(node.class_type);
        if (!shape.node.fingerprint) continue;
        try {
          texts.set(id, await askNode(id, node, shape));
        } catch (error) {
          if (error instanceof Interrupted) throw error;
          run.log(
            'warn',
            `fingerprint of node ${id} (${node.class_type}) failed, so it runs anew: ${String(error)}`,
          );
          texts.set(id, undefined);
        }
      }
    },
    of: (id) => (texts.has(id) ? texts.get(id) : NONE),
  };
}
