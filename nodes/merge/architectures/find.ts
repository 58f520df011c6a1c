import { LineageError } from '../../kit/errors.ts';
import type { Architecture } from './define.ts';
import { architectures } from './index.gen.ts';

/**
 * The architecture that a user names: by title or family, in any case, with or without points and spaces (`SD1.5`,
 * `sd 15`, `qwen-image`).
 *
 * @throws LineageError `merge/architecture`
 */
export function findArchitecture(written: string): Architecture {
  const plain = simplify(written);
  const found = architectures.find(
    ({ family, title }) => simplify(family) === plain || simplify(title) === plain,
  );
  if (found === undefined) {
    const titles = architectures.map(({ title }) => title).join(', ');
    throw new LineageError(
      'merge/architecture',
      `expected one of ${titles}; got ${JSON.stringify(written.slice(0, 60))}`,
    );
  }
  return found;
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
