import { basename, dirname, extname, resolve } from 'node:path';
import { Command } from 'commander';
import { describeDifference, diffPlans } from '../../nodes/pipeline/diff-plans.ts';
import { describeFinding } from '../../nodes/pipeline/finding.ts';
import { preparePipeline } from '../pipeline/prepare-pipeline.ts';
import { readManifestFile } from '../pipeline/read-manifest-file.ts';
import type { CommandContext } from './command-context.ts';
import { addGraphCommands } from './plan-graph.ts';
import type { Terminal } from './terminal.ts';

/** `lineage plan`: what sets two pipelines apart, and manifests as nodes and back. */
export function planCommand({ terminal }: CommandContext): Command {
  const plan = new Command('plan').description('look at the plans of merge pipelines');
  plan
    .command('diff')
    .description('say which steps and settings differ between two manifests, and what is made again')
    .argument('<before>', 'a manifest')
    .argument('<after>', 'another one')
    .option('--json', 'print one JSON document')
    .action(async (before: string, after: string, { json }: { readonly json?: boolean }) => {
      const [old, now] = [await planOf(before, terminal), await planOf(after, terminal)];
      const difference = diffPlans(old, now);
      terminal.print(json ? JSON.stringify(difference) : describeDifference(difference).join('\n'));
    });
  addGraphCommands(plan, terminal);
  return plan;
}

async function planOf(file: string, { note }: Terminal) {
  const folder = dirname(resolve(file));
  const { plan } = await preparePipeline(
    {
      manifest: await readManifestFile(file),
      pathOf: (spelled) => resolve(folder, spelled),
      name: basename(file, extname(file)),
      mode: 'staged',
      keepTemps: false,
      threads: 1,
      onFinding: (finding) => note(`${file}: ${describeFinding(finding)}`),
    },
    undefined,
  );
  return plan.checked;
}
