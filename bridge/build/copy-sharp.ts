import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const MODULES = new URL('../../node_modules/', import.meta.url);
const SCOPE = '@img/';
/** The build that runs wherever Node does. */
const ANY_PLATFORM = '@img/sharp-wasm32';

const manifestSchema = z.object({ dependencies: z.record(z.string(), z.string()).optional() });

/** What was copied. */
export type CopiedSharp = {
  /** Packages by name, what they need included. */
  readonly packages: readonly string[];
  /** Whether a platform without a native build here can run. */
  readonly hasWasm: boolean;
};

/**
 * Copies sharp's compiled parts, as many platforms as are installed, into `node_modules/` beside the bundle. sharp
 * itself is in the bundle and chooses when it starts: the native build of the platform, else WASM
 * (sharp 0.35.5, dist/sharp.mjs).
 *
 * @param out the folder of the bundle, ending in `/`
 */
export function copySharp(out: URL): CopiedSharp {
  const builds = readdirSync(new URL(SCOPE, MODULES))
    .map((name) => `${SCOPE}${name}`)
    .filter((name) => name.startsWith('@img/sharp-'));
  const packages = new Set(builds);
  // A set may grow while it is walked.
  for (const name of packages) for (const needed of dependenciesOf(name)) packages.add(needed);
  for (const name of packages)
    cpSync(new URL(`${name}/`, MODULES), new URL(`node_modules/${name}/`, out), {
      recursive: true,
      dereference: true,
      // Headers and types are for people who build against it.
      filter: (from) => !/\.(d\.ts|h|hpp)$|[\\/]include[\\/]/.test(from),
    });
  return { packages: [...packages].toSorted(), hasWasm: packages.has(ANY_PLATFORM) };
}

function dependenciesOf(name: string): string[] {
  const file = new URL(`${name}/package.json`, MODULES);
  if (!existsSync(file)) throw new Error(`${name}: not installed; run npm ci`);
  return Object.keys(manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).dependencies ?? {});
}
