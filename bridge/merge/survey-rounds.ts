import { compareNames } from '../../nodes/formats/safetensors/name-order.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { MergedTensor, Operand } from '../../nodes/merge/job.ts';
import { countSurveyRounds } from '../../nodes/merge/run-method.ts';
import { inputsOf, isLeaf } from './recipe.ts';
import type { SurveyTask, ThreadTask } from './thread-messages.ts';

type Surveys = Map<number, readonly Float64Array[]>;

/**
 * Runs the surveys of a job, those of inner results first, since outer ones read what these decide. The order of
 * threads changes nothing: what tensors say is combined in the order of their places.
 *
 * @param values the outputs that are to be made.
 * @param look has the threads do one round, and gives what each task found.
 * @returns what the rounds of each survey found, by its number.
 */
export async function runSurveys(
  values: ReadonlyMap<string, Operand>,
  look: (task: Extract<ThreadTask, { kind: 'survey' }>) => Promise<readonly Float64Array[]>,
): Promise<Surveys> {
  const surveys: Surveys = new Map();
  for (const [group, tasks] of groupTasks(values)) {
    const [first] = tasks;
    if (!first) continue;
    const { params } = first.value;
    const method = findMethod(first.value.method);
    if (!('survey' in method) || !method.survey) throw new Error(`${method.id} surveys nothing`);
    const rounds = countSurveyRounds(method, params);
    const known: Float64Array[] = [];
    for (let round = 0; round < rounds; round++) {
      surveys.set(group, known);
      const found = await look({ kind: 'survey', tasks, round, surveys });
      known.push(method.survey.combine(found, round, params, [...known]));
    }
    surveys.set(group, known);
  }
  return surveys;
}

/** The tensors of each survey in the order of their places, the innermost survey first. */
function groupTasks(values: ReadonlyMap<string, Operand>): ReadonlyMap<number, readonly SurveyTask[]> {
  const groups = new Map<number, Map<number, SurveyTask>>();
  const visit = (name: string, value: Operand): void => {
    if (isLeaf(value)) return;
    if (value.kind === 'adapted') {
      visit(name, value.base);
      return;
    }
    for (const input of inputsOf(value)) visit(name, input);
    if (value.survey) add(groups, value.survey, { name, value });
  };
  for (const name of [...values.keys()].sort(compareNames)) {
    const value = values.get(name);
    if (value) visit(name, value);
  }
  return new Map(
    [...groups].map(([group, tasks]) => [
      group,
      [...tasks].sort(([a], [b]) => a - b).map(([, task]) => task),
    ]),
  );
}

function add(
  groups: Map<number, Map<number, SurveyTask>>,
  { group, index }: NonNullable<MergedTensor['survey']>,
  task: SurveyTask,
): void {
  const tasks = groups.get(group) ?? new Map<number, SurveyTask>();
  groups.set(group, tasks.set(index, tasks.get(index) ?? task));
}
