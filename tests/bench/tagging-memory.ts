/**
 * `node tests/bench/tagging-memory.ts [COUNT]`: the memory of tagging ten thousand files beside that of a thousand. Ends
 * with status 1 where it grows.
 */
import { benchTaggingMemory } from './peers/tagging.ts';

const rows = await benchTaggingMemory(Number(process.argv[2] ?? 10_000));
for (const { name, value, unit, goal = '', ok } of rows)
  process.stdout.write(`${name}: ${value.toPrecision(3)} ${unit} ${goal}${ok === false ? '  FAILED' : ''}\n`);
process.exitCode = rows.some(({ ok }) => ok === false) ? 1 : 0;
