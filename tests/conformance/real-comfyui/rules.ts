import assert from 'node:assert/strict';
import { node } from '../golden/graphs.ts';
import type { Check } from './pictures.ts';

const RULES = `
version: 1
nodes:
  Tiny Probe Sampler:
    role: sampler
    puts: [latent]
    reads: { SEED: { input: seed }, STEPS: { input: steps } }
`;

/** The nodes for rules, inside real ComfyUI. */
export const RULE_CHECKS: readonly Check[] = [
  {
    name: 'rules are proposed from what ComfyUI declares, saved, shown and put back',
    async run(driver) {
      const textOf = async (classType: string, inputs: Record<string, string | boolean>): Promise<string> => {
        const { outputs } = await driver.run({ '1': node(classType, inputs) });
        return String(outputs['1']?.['text']?.[0]);
      };
      const save = { rules: RULES, mode: 'replace', replace_conflicts: false, backup: true };
      assert.match(await textOf('LineageRulesSave', save), /^saved 1 new rules/);
      assert.match(await textOf('LineageRulesView', { find: 'tiny probe' }), /"Tiny Probe Sampler":/);
      const other = RULES.replace('Tiny Probe', 'Another');
      assert.match(await textOf('LineageRulesSave', { ...save, rules: other }), /backup /);
      assert.doesNotMatch(await textOf('LineageRulesView', { find: '' }), /Tiny Probe/);
      await textOf('LineageRulesSave', { ...save, restore: 'newest' });
      assert.match(await textOf('LineageRulesView', { find: '' }), /Tiny Probe/);
      // Of ComfyUI's own classes some are known to no rule.
      const found = await textOf('LineageRuleScanner', {
        mode: 'all',
        missing_only: false,
        force: 'KSampler',
      });
      assert.match(found, /KSampler/);
      assert.match(found, /evidence|because|#/);
      const broken = { ...save, rules: 'version: 1\nnodes: [' };
      const { error } = await driver.run({ '1': node('LineageRulesSave', broken) });
      assert.match(JSON.stringify(error), /rules\/malformed/);
    },
  },
];
