import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { promptFile, readCases } from './cases.ts';
import { FRONT_ENDS, openFrontEnd } from './real-front-end.ts';

/**
 * `LINEAGE_FRONT_ENDS=FOLDER:FOLDER node tests/workflow/record-prompts.ts [WORD]`: writes fixtures/workflows/*\/prompt.json
 * as the builds of the official front end that a case names convert its workflow, and says where two differ.
 */
const [word = ''] = process.argv.slice(2);
const recorded = new Map<string, unknown>();
for (const { folder, version } of FRONT_ENDS) {
  const frontEnd = await openFrontEnd(folder);
  try {
    for (const { name, frontEnds, workflow } of readCases()) {
      if (!frontEnds.includes(version) || !name.includes(word)) continue;
      const prompt = await frontEnd.convert(workflow);
      const before = recorded.get(name);
      if (before !== undefined && !isDeepStrictEqual(before, prompt))
        console.log(`${name}: ${version} differs: ${JSON.stringify(prompt)}`);
      recorded.set(name, before ?? prompt);
    }
  } finally {
    await frontEnd.close();
  }
}
for (const [name, prompt] of recorded) {
  writeFileSync(promptFile(name), `${JSON.stringify(prompt, undefined, 1)}\n`);
  console.log(`${name}: written`);
}
