/**
 * Puts what waits behind what it waits for; else the given order stands. Iterative, so that long chains cost no stack.
 *
 * @param needs of each id, those it waits for; ids that are no keys are passed over.
 * @returns the ids in order, or the first circle found, whose last id is its first.
 */
export function orderByNeeds(
  needs: ReadonlyMap<string, readonly string[]>,
):
  | { readonly order: readonly string[]; readonly cycle?: never }
  | { readonly cycle: readonly string[]; readonly order?: never } {
  const order: string[] = [];
  const done = new Set<string>();
  for (const first of needs.keys()) {
    const path = [{ id: first, next: 0 }];
    const onPath = new Set([first]);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const need = done.has(top.id) ? undefined : needs.get(top.id)?.[top.next++];
      if (need === undefined) {
        if (!done.has(top.id)) order.push(top.id);
        done.add(top.id);
        onPath.delete(top.id);
        path.pop();
      } else if (onPath.has(need)) {
        const ids = path.map(({ id }) => id);
        return { cycle: [...ids.slice(ids.indexOf(need)), need] };
      } else if (!done.has(need) && needs.has(need)) {
        path.push({ id: need, next: 0 });
        onPath.add(need);
      }
    }
  }
  return { order };
}
