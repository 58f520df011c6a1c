import type { Condition } from './condition-schema.ts';
import type { ModelRef, Step } from './manifest.ts';

/** A place in a step that names a model or, with `score`, a step whose findings are asked for. */
export type Reference = {
  /** Path within the step: `models[0]`. */
  readonly where: string;
  readonly ref: ModelRef;
  readonly use: 'model' | 'score' | 'tuned';
  /** Asked for after the steps inside have run: it may name them. */
  readonly inside?: true;
};

/** Everything that a step itself refers to; not what the steps inside it do. */
export function referencesOf(step: Step): readonly Reference[] {
  switch (step.type) {
    case 'merge':
    case 'block_merge':
      return models([...list('models', step.models), ['base', step.base], ['vae', step.vae]]);
    case 'lora_merge':
      return models([['model', step.model], ...list('loras', step.loras), ['vae', step.vae]]);
    case 'embedding_merge':
      return models(list('embeddings', step.embeddings));
    case 'extract':
      return models([
        ['model', step.model],
        ['base', step.base],
      ]);
    case 'convert':
      return models([
        ['model', step.model],
        ['vae', step.vae],
      ]);
    case 'validate':
      return models([
        ['model', step.model],
        ['against', step.against],
      ]);
    case 'analysis':
      return models([...list('models', step.models), ['base', step.base]]);
    case 'if':
      return conditionReferences(step.condition, 'condition');
    case 'loop': {
      const until = step.until ? conditionReferences(step.until, 'until') : [];
      return [
        ...models([['start', step.start]]),
        ...until.map((each) => ({ ...each, inside: true as const })),
      ];
    }
    case 'parallel':
      return [];
    case 'optimize':
      return [
        { where: 'score', ref: { step: step.score.step }, use: 'score', inside: true },
        ...step.tune.map((tuned, index) => ({
          where: `tune[${index}]`,
          ref: { step: tuned.step },
          use: 'tuned' as const,
          inside: true as const,
        })),
      ];
  }
}

/** The steps inside a step, by the branch they are in. */
export function branchesOf(step: Step): readonly (readonly [branch: string, steps: readonly Step[]])[] {
  switch (step.type) {
    case 'if':
      return [['then', step.then] as const, ...(step.else ? [['else', step.else] as const] : [])];
    case 'loop':
    case 'optimize':
      return [['steps', step.steps]];
    case 'parallel':
      return step.branches.map((steps, index) => [`branches[${index}]`, steps] as const);
    default:
      return [];
  }
}

type Named = readonly [where: string, ref: ModelRef | undefined];

function list(where: string, refs: readonly ModelRef[]): readonly Named[] {
  return refs.map((ref, index) => [`${where}[${index}]`, ref] as const);
}

function models(named: readonly Named[]): readonly Reference[] {
  return named.flatMap(([where, ref]) => (ref ? [{ where, ref, use: 'model' as const }] : []));
}

function conditionReferences(condition: Condition, where: string): readonly Reference[] {
  const { model, step, all, any, not } = condition;
  return [
    ...(model ? [{ where: `${where}.model`, ref: model, use: 'model' as const }] : []),
    ...(step === undefined ? [] : [{ where: `${where}.step`, ref: { step }, use: 'score' as const }]),
    ...(all ?? []).flatMap((each, index) => conditionReferences(each, `${where}.all[${index}]`)),
    ...(any ?? []).flatMap((each, index) => conditionReferences(each, `${where}.any[${index}]`)),
    ...(not ? conditionReferences(not, `${where}.not`) : []),
  ];
}
