/** Saves files through an output folder, one after the other: `ROOT PREFIX COUNT LABEL BYTES`; starts on a line of stdin. */
import { once } from 'node:events';
import { createOutputFolder } from '../../../../bridge/local/output-folder.ts';

const [root = '', prefix = '', count = '0', label = '', bytes = '0'] = process.argv.slice(2);
const output = createOutputFolder(root);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
for (let index = 0; index < Number(count); index++) {
  // The first line says what must follow it, so that a torn file shows.
  const body = `${label} ${index}\n`.padEnd(Number(bytes), '.');
  const content = Buffer.from(`${body.length}\n${body}`);
  const companions = new Map([['.png.json', content]]);
  process.stdout.write(
    `${await output.writeOutput({ prefix, extension: 'png', counter: true, bytes: content, companions })}\n`,
  );
}
