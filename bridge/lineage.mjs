#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node must get one clear line instead of a syntax error.
const needed = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < needed) {
  process.stderr.write(
    `lineage needs Node ${needed} or newer, this is ${process.versions.node}. Run \`npm ci\` in the folder of lineage, then \`npm run lineage -- ...\`, which uses the Node it installs.\n`,
  );
  process.exitCode = 3;
} else {
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
