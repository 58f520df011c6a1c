import type { AnyNode } from '../../kit/define-node.ts';
import blockWeights from './block-weights.node.ts';
import loraMerge from './lora-merge.node.ts';
import merge from './merge.node.ts';
import mergeReport from './merge-report.node.ts';
import mergeSource from './merge-source.node.ts';
import mergeStep from './merge-step.node.ts';
import runPipeline from './run-pipeline.node.ts';

const NODES: readonly AnyNode[] = [
  mergeSource,
  blockWeights,
  merge,
  loraMerge,
  mergeStep,
  runPipeline,
  mergeReport,
];

/** The definition of a merge node. */
export function findMergeNode(id: string): AnyNode | undefined {
  return NODES.find((node) => node.id === id);
}
