import type { PipelineReport, StepReport } from '../pipeline/pipeline-report.ts';
import { describeStep } from './pipeline-progress.ts';
import { formatBytes, formatSeconds } from './sizes.ts';

/** A report for people: what became of each step, and what is worth knowing of it. */
export function formatReport({ steps, writtenBytes, milliseconds, warnings }: PipelineReport): string {
  const end = `${formatBytes(writtenBytes)} written in ${formatSeconds(milliseconds / 1000)}`;
  const said = warnings.filter(({ level }) => level === 'warning').length;
  return [
    ...steps.flatMap((step) => [describeStep(step), ...notesOf(step).map((note) => `  ${note}`)]),
    said === 0 ? end : `${end}; ${said} ${said === 1 ? 'warning' : 'warnings'}, above`,
  ].join('\n');
}

function notesOf(step: StepReport): readonly string[] {
  const { damage, pruned, copied, skipped, positionIds, cut, adapters, found, resumed, dataSha256 } = step;
  return [
    ...(dataSha256 ?? []).map((hash) => `data SHA-256 ${hash}`),
    ...(resumed === undefined ? [] : [`${resumed} tensors were there from an interrupted run`]),
    ...(damage
      ? [
          `${damage.notFinite} NaN or infinite inputs, ${damage.overflowed} overflows, ${damage.nan} NaN results in ${damage.tensors} tensors`,
        ]
      : []),
    ...Object.entries(pruned ?? {}).map(([model, names]) => `pruned of ${model}: ${list(names)}`),
    ...(copied
      ? [
          `copied, not merged: ${Object.entries(copied)
            .map(([why, count]) => `${count} (${why})`)
            .join(', ')}`,
        ]
      : []),
    ...(skipped ? [`left out, since a model lacks them: ${list(skipped)}`] : []),
    ...(positionIds ? [`positions set to 0 and on, not merged: ${list(positionIds)}`] : []),
    ...(cut ?? []).map(
      ({ model, tensor, rows, of }) => `${model}: the first ${rows} of ${of} rows of ${tensor} were merged`,
    ),
    ...(adapters ?? []).map(
      ({ label, modules, of }) => `${label}: ${modules} of ${of} modules found their weight`,
    ),
    ...Object.entries(found?.scores ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(found?.notes ?? []),
  ];
}

const SHOWN = 5;

function list(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
