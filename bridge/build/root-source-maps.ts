import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';

const mapSchema = z.looseObject({ sources: z.array(z.string()) });

/**
 * Names the sources in a folder's source maps by their paths in the repository (`nodes/metadata/trace.ts`). esbuild
 * names them from the map, which would tell where the repository lay when it was built.
 *
 * @param folder its maps are rewritten; folders in it are not looked into
 */
export function rootSourceMaps(folder: string, root: string): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.map'))) {
    const file = join(folder, name);
    const map = mapSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const sources = map.sources.map((source) =>
      relative(root, resolve(dirname(file), source)).replaceAll('\\', '/'),
    );
    writeFileSync(file, JSON.stringify({ ...map, sources }));
  }
}
