/**
 * `node tests/soak/pipeline-kills.ts [COUNT] [SEED]`: a pipeline survives being killed anywhere. 200 points take a quarter
 * of an hour.
 */
import { killPipeline } from './kill-pipeline.ts';

const [count = '200', seed = '1'] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { killed, failures } = await killPipeline({
  count: Number(count),
  seed: Number(seed),
  layers: 12,
  say,
});
for (const failure of failures) say(failure);
say(`${count} points, ${killed} killed before their end, ${failures.length} failed`);
process.exitCode = failures.length === 0 && killed > 0 ? 0 : 1;
