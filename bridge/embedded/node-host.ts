import type { Host, ModelStore } from '../../nodes/kit/host.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { OwnerSettings } from '../../nodes/kit/owner-settings.ts';
import type { PipelineRunner } from '../../nodes/kit/pipeline-runner.ts';
import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import { createInputReader } from '../local/input-folder.ts';
import { createOutputFolder } from '../local/output-folder.ts';
import type { ExecutorOptions } from './execution/execute.ts';
import type { RuntimeFolders } from './folders.ts';
import type { ServerLog } from './server-log.ts';

type HostOptions = {
  readonly folders: RuntimeFolders;
  readonly models: ModelStore;
  readonly pipelines: PipelineRunner;
  readonly rules: RuleFiles;
  readonly classes: () => unknown;
  readonly disableMetadata: boolean;
  readonly owner: OwnerSettings;
  readonly log: ServerLog['log'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** What nodes ask of this runtime: its folders, its model files, its log; the rest is the run's own. */
export function createHosts(options: HostOptions): ExecutorOptions['makeHost'] {
  const { folders, models, pipelines, rules, classes, disableMetadata, owner, log, now } = options;
  const readInput = createInputReader(folders);
  const output = createOutputFolder(folders.output);
  const temp = createOutputFolder(folders.temp);
  return ({ job, nodeId, signal, executed, progress }): Host => {
    const pnginfo = job.extraData['extra_pnginfo'];
    return {
      prompt: job.prompt,
      extraPnginfo: isRecord(pnginfo) ? pnginfo : {},
      nodeId,
      signal,
      disableMetadata,
      owner,
      models,
      pipelines,
      rules,
      classes,
      now: new Date(now()),
      log: (level, message) => log(level, `node ${nodeId}: ${message}`),
      executed,
      progress,
      readInput,
      writeOutput: (request) => (request.folder === 'temp' ? temp : output).writeOutput(request),
    };
  };
}
