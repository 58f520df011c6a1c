import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import type { Finding } from '../../nodes/pipeline/finding.ts';
import type { PipelineEvent, StepReport } from './pipeline-report.ts';

/** What became of the steps so far; whoever watches is told as it happens. */
export type StepLog = {
  start(flat: FlatStep): void;
  end(flat: FlatStep, report: Omit<StepReport, 'id' | 'type'>): void;
  warn(finding: Finding): void;
  /** Whether a step has run, or will not. */
  isOver(id: string): boolean;
  report(id: string): StepReport | undefined;
  readonly warnings: readonly Finding[];
};

export function openStepLog(of: number, tell: (event: PipelineEvent) => void): StepLog {
  const reports = new Map<string, StepReport>();
  const warnings: Finding[] = [];
  return {
    start({ id, step: { description } }) {
      const said = description === undefined ? {} : { description };
      tell({ kind: 'step-start', id, ...said, done: reports.size, of });
    },
    end({ id, step: { type } }, report) {
      const whole: StepReport = { id, type, ...report };
      reports.set(id, whole);
      tell({ kind: 'step-end', report: whole, done: reports.size, of });
    },
    warn(finding) {
      warnings.push(finding);
      tell({ kind: 'finding', finding });
    },
    isOver: (id) => reports.has(id),
    report: (id) => reports.get(id),
    warnings,
  };
}
