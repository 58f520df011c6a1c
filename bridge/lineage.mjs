#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node must get one clear line instead of a syntax error.
import * as modules from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const needed = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < needed) {
  process.stderr.write(
    `lineage needs Node ${needed} or newer, this is ${process.versions.node}. Run \`npm ci\` in the folder of lineage, then \`npm run lineage -- ...\`, which uses the Node it installs.\n`,
  );
  process.exitCode = 3;
} else {
  // Halves the time to start, and saves 40 MB that taking the types out of the code takes. In the user's own folder
  // (bridge/local/home.ts): code is run from it.
  modules.enableCompileCache(join(process.env.LINEAGE_HOME ?? join(homedir(), '.lineage'), 'compiled'));
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
