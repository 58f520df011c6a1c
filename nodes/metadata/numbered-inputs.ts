/** Made once: a comparison of its own by `localeCompare` costs twenty times as much. */
const ORDER = new Intl.Collator('en', { numeric: true });

/**
 * The names that start with a prefix, in the order that a node which grows by inputs has them: by what follows the
 * prefix, numbers as numbers. `latent2` is before `latent10`.
 */
export function numberedInputs(names: Iterable<string>, prefix: string): string[] {
  return [...names]
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => ORDER.compare(a.slice(prefix.length), b.slice(prefix.length)));
}
