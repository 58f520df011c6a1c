import { isLineageError } from '../../nodes/kit/errors.ts';
import type { Host } from '../../nodes/kit/host.ts';
import { readEnvironment } from '../local/environment.ts';
import { ledgerIn } from '../local/home.ts';
import { createInputReader, INPUT_BYTES_MAX } from '../local/input-folder.ts';
import { openModels } from '../local/open-models.ts';
import { createOutputFolder } from '../local/output-folder.ts';
import { readFileChecked } from '../local/read-file.ts';
import { resolveInside } from '../local/resolve-inside.ts';
import { createRuleStore, rulesIn } from '../local/rule-store.ts';
import type { PanelReach } from '../panel/panel.ts';
import { createPipelineRunner } from '../pipeline/pipeline-runner.ts';
import type { Settings } from './settings.ts';

/** This ComfyUI's files, as its owner configured them. */
export type Machine = Required<
  Pick<Host, 'models' | 'pipelines' | 'rules' | 'writeOutput' | 'readInput' | 'disableMetadata' | 'owner'>
> &
  PanelReach & {
    /** Ends the hashing and closes the ledger. */
    close(): Promise<void>;
  };

/** Opens what the settings name. Folders that don't exist hold nothing; those for output are made when needed. */
export function openMachine(settings: Settings, warn: (message: string) => void): Machine {
  const { owner, forceRehash } = readEnvironment(process.env, warn);
  const { models, close } = openModels({
    forceRehash,
    folders: [],
    shelves: settings.models,
    ledgerFile: ledgerIn(settings.home),
    warn: ({ code, message }) => warn(`[${code}] ${message}`),
  });
  const pipelines = createPipelineRunner({
    models,
    output: settings.output,
    ledgerFile: ledgerIn(settings.home),
    warn: ({ code, message }) => warn(`[${code}] ${message}`),
  });
  const folders = {
    output: createOutputFolder(settings.output),
    temp: createOutputFolder(settings.temp),
  };
  return {
    models,
    pipelines,
    rules: createRuleStore(rulesIn(settings.home)),
    disableMetadata: settings.disableMetadata,
    owner,
    writeOutput: (request) => folders[request.folder ?? 'output'].writeOutput(request),
    readInput: createInputReader(settings),
    async readSaved({ filename, subfolder, type }) {
      try {
        const file = await resolveInside(settings[type], `${subfolder}/${filename}`.replace(/^\//, ''));
        return await readFileChecked(file, INPUT_BYTES_MAX);
      } catch (error) {
        if (isLineageError(error, 'file/missing')) return undefined;
        throw error;
      }
    },
    async close() {
      await pipelines.close();
      await close();
    },
  };
}
