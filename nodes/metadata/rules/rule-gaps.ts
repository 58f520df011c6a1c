import type { RuleBook } from '../rule-book.ts';
import type { ClassShape } from './class-shapes.ts';

/** What a pack installs that no rule knows. */
export type Gap = {
  /** ComfyUI's `python_module`. */
  readonly pythonModule: string;
  /** How many classes it has. */
  readonly total: number;
  /** Those without a rule: most used first, then by name. */
  readonly classes: readonly { readonly classType: string; readonly uses: number }[];
};

/**
 * Installed classes that lack rules, by the pack that brings them: the packs most used first.
 *
 * @param uses how often the given graphs use each class type
 */
export function findGaps(
  shapes: readonly ClassShape[],
  book: RuleBook,
  uses: ReadonlyMap<string, number>,
): readonly Gap[] {
  const byModule = Map.groupBy(shapes, ({ pythonModule }) => pythonModule);
  const gaps = [...byModule].map(([pythonModule, all]): Gap => {
    const classes = all
      .filter(({ classType }) => !book.has(classType))
      .map(({ classType }) => ({ classType, uses: uses.get(classType) ?? 0 }))
      .sort((a, b) => b.uses - a.uses || (a.classType < b.classType ? -1 : 1));
    return { pythonModule, total: all.length, classes };
  });
  const used = ({ classes }: Gap): number => classes.reduce((sum, each) => sum + each.uses, 0);
  return gaps
    .filter(({ classes }) => classes.length > 0)
    .sort(
      (a, b) =>
        used(b) - used(a) ||
        b.classes.length - a.classes.length ||
        (a.pythonModule < b.pythonModule ? -1 : 1),
    );
}
