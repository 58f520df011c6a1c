import { basename, extname, resolve } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import { HASH_PLACEHOLDER } from '../../nodes/merge/provenance/header-texts.ts';
import {
  MERGE_RECORD_KEY,
  type MergeRecord,
  readMergeRecord,
} from '../../nodes/merge/provenance/merge-record.ts';
import { removeIfThere } from '../local/write-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { ENGINE_VERSION } from './describe-steps.ts';
import { findSources } from './find-sources.ts';
import type { HashAccess } from './identify-models.ts';
import { HASH_KEY } from './output-state.ts';
import type { PipelineEvent, PipelineReport } from './pipeline-report.ts';
import { placeRecipe } from './place-recipe.ts';
import { runPipeline } from './run-pipeline.ts';

export type RebuildOptions = {
  /** A merged file, whose record tells how. */
  readonly file: string;
  /** Where sources may lie, at any depth. */
  readonly folders: readonly string[];
  readonly out: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly access: HashAccess;
  readonly onEvent?: (event: PipelineEvent) => void;
};

/**
 * Makes a merged file again from its sources, which are found by their contents. The texts of the header are taken from
 * the file, so that a renamed source changes nothing.
 *
 * @throws LineageError `rebuild/no-record`, `rebuild/sources` naming all that are missing, `rebuild/differs`, and as
 *   `runPipeline`
 */
export async function rebuildFile(options: RebuildOptions): Promise<PipelineReport> {
  const { file, folders, out, onEvent } = options;
  const { metadata } = await openWeights(file);
  const record = readMergeRecord(metadata.get(MERGE_RECORD_KEY));
  const hash = /^0x([0-9a-f]{64})$/.exec(metadata.get(HASH_KEY) ?? '')?.[1];
  if (!record || hash === undefined)
    throw new LineageError(
      'rebuild/no-record',
      'expected a file with a record of its merge, got one without',
      { file },
    );
  if (record.engine !== ENGINE_VERSION)
    throw differs(record, file, `arithmetic of version ${ENGINE_VERSION}`);
  const access: HashAccess = {
    ...options.access,
    onProgress: (path, doneBytes, totalBytes) =>
      onEvent?.({ kind: 'hashing', file: path, doneBytes, totalBytes }),
  };
  const found = await findSources(record.sources, folders, access);
  const missing = record.sources.filter((_, at) => found[at] === undefined);
  if (missing.length > 0) {
    const names = missing.map(({ name, dataSha256 }) => `${name} (data SHA-256 ${dataSha256})`).join(', ');
    const among = `${record.sources.length} sources in ${folders.join(', ')}`;
    throw new LineageError('rebuild/sources', `expected ${among}, got none for ${names}`, { file });
  }
  const target = resolve(out);
  const paths = found.filter((path) => path !== undefined);
  const sources = await Promise.all(
    paths.map(async (path) => ({ path, files: (await openWeights(path)).files })),
  );
  const placed = placeRecipe(record.recipe, { file, sources, target });
  // What stands beside a source today says nothing of what stood beside it then.
  const configs = new Map(record.sources.map(({ adapterConfig }, at) => [found[at], adapterConfig]));
  const texts = new Map([...metadata, [HASH_KEY, HASH_PLACEHOLDER]]);
  const report = await runPipeline({
    ...options,
    ...placed,
    access,
    name: basename(target, extname(target)),
    mode: record.mode,
    keepTemps: false,
    force: true,
    findConfig: async (path) => configs.get(path),
    textsOf: (id) => (id === record.step ? texts : undefined),
    accept(id, dataSha256) {
      if (id === record.step && dataSha256 !== hash)
        throw differs(record, file, `data SHA-256 ${dataSha256}`);
    },
  });
  const made = report.steps.find(({ id }) => id === record.step);
  if (made?.outcome !== 'cached' && !made?.dataSha256?.includes(hash)) {
    await removeIfThere(target);
    throw differs(record, file, `data SHA-256 ${made?.dataSha256?.join(', ')}`);
  }
  return report;
}

function differs({ generator, engine }: MergeRecord, file: string, got: string): LineageError {
  const made = `${generator.name} ${generator.version} (arithmetic of version ${engine})`;
  return new LineageError('rebuild/differs', `expected the bytes that ${made} made, got ${got}`, { file });
}
