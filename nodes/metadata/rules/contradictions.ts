import { META_FIELDS, type NodeRule } from '../../../rules/define.ts';
import { placesOf } from '../rule-book.ts';

/** A place in a rule that cannot be meant. */
export type Contradiction = {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly got: string;
};

/** What a rule says against itself. Such a rule loses facts; it does no other harm. */
export function findContradictions(rule: NodeRule): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const say = (path: readonly (string | number)[], expected: string, got: string): void =>
    void found.push({ path, expected, got });
  const taken = new Set(Object.keys(rule.takes ?? {}));
  const followed = new Set([...taken, ...Object.keys(rule.uses ?? {})]);

  for (const key of Object.keys(rule.uses ?? {}))
    if (taken.has(key)) say(['uses', key], 'a key that is not also an input of takes', `"${key}"`);
  if (rule.uses && !rule.pipe) say(['uses'], 'a pipe, whose keys are used', 'none');
  for (const name of Object.keys(rule.only ?? {}))
    if (!followed.has(name)) say(['only', name], 'an input of takes or a key of uses', `"${name}"`);
  for (const [slot, names] of (rule.gives ?? []).entries()) {
    for (const [i, name] of names.entries())
      if (!followed.has(name)) say(['gives', slot, i], 'an input of takes or a key of uses', `"${name}"`);
  }
  if (rule.gives && !rule.switch) {
    const given = new Set(rule.gives.flat());
    for (const name of followed)
      if (!given.has(name))
        say(['takes', name], 'an input that some output gives', `"${name}", which none gives`);
  }
  if (rule.puts && rule.gives && rule.puts.length !== rule.gives.length)
    say(['puts'], `as many slots as gives has, ${rule.gives.length}`, `${rule.puts.length}`);
  for (const field of META_FIELDS) {
    for (const { slot } of placesOf(rule, field)) {
      if (slot !== undefined && rule.gives && slot >= rule.gives.length)
        say(['reads', field], `a slot below ${rule.gives.length}`, `slot ${slot}`);
    }
  }
  if (rule.switch && 'cases' in rule.switch) {
    for (const [word, input] of Object.entries(rule.switch.cases))
      if (!taken.has(input)) say(['switch', 'cases', word], 'an input of takes', `"${input}"`);
  }
  if (rule.role === 'saver' && taken.size === 0) say(['role'], 'a saver that takes a picture', 'no takes');
  if (rule.role === 'sampler' && !rule.puts?.some((on) => on === 'latent' || on === 'image'))
    say(['role'], 'a sampler whose puts has latent or image', 'neither');
  return found;
}
