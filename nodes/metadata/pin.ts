import type { NodeId } from './graph.ts';
import { findMarks } from './marks.ts';

/** What a node can be marked as in the workflow's `properties`, under `lineage.pin`. */
export type PinKind = 'sampler';

const PIN_PROPERTY = 'lineage.pin';

/** The id, as the prompt graph spells it (`57:8`), of the first node that a workflow marks so; see `findMarks`. */
export function findPin(workflow: unknown, kind: PinKind): NodeId | undefined {
  return findMarks(workflow, PIN_PROPERTY, [kind])[0]?.nodeId;
}
