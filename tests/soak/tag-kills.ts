/**
 * `node tests/soak/tag-kills.ts [COUNT] [SEED]`: tagging 200 pictures survives being killed anywhere. 100 points take a few
 * minutes.
 */
import { killTagging } from './kill-tagging.ts';

const [count = '100', seed = '1'] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { amidst, failures } = await killTagging({
  count: Number(count),
  seed: Number(seed),
  pictures: 200,
  say,
});
for (const failure of failures) say(failure);
say(`${count} points, ${amidst} killed amidst the files, ${failures.length} failed`);
process.exitCode = failures.length === 0 && amidst > 0 ? 0 : 1;
