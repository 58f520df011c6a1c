import { type Command, Option } from 'commander';
import { readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import type { ApiNode, ApiPrompt } from '../../nodes/kit/api-prompt.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { manifestToNodes } from '../../nodes/merge/graph/manifest-to-nodes.ts';
import { manifestToWorkflow } from '../../nodes/merge/graph/manifest-to-workflow.ts';
import { type GraphRun, listRuns, nodesToRun } from '../../nodes/merge/graph/nodes-to-manifest.ts';
import { isWorkflow, workflowToPrompt } from '../../nodes/merge/graph/workflow-to-prompt.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { nameOutput } from '../../nodes/pipeline/name-output.ts';
import { readManifest } from '../../nodes/pipeline/read-manifest.ts';
import { readFileChecked } from '../local/read-file.ts';
import { reasonOf } from '../local/system-error.ts';
import { refuseTaken, writeFileAtomic } from '../local/write-file.ts';
import { parseManifestText, readManifestFile } from '../pipeline/read-manifest-file.ts';
import { refusalOf } from '../pipeline/refuse.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';
import { inFile } from './json-file.ts';
import type { Terminal } from './terminal.ts';

type OutOptions = { readonly out?: string; readonly force?: boolean; readonly json?: boolean };
type ManifestOptions = OutOptions & { readonly node?: string };
type WorkflowOptions = OutOptions & { readonly api?: boolean };

/** `lineage plan workflow` and `lineage plan manifest`: a manifest as nodes of ComfyUI, and nodes as a manifest. */
export function addGraphCommands(plan: Command, terminal: Terminal): void {
  const workflow = plan
    .command('workflow')
    .description('open a manifest as merge nodes: a workflow to load in ComfyUI')
    .argument('<manifest>', 'a manifest, in JSON or YAML; its paths become names of model files')
    .option('--api', 'write a prompt graph (API format), as it is queued, instead of a workflow');
  addOutOptions(workflow).action((file: string, options: WorkflowOptions) =>
    write(
      async () => {
        const manifest = await readManifestFile(file);
        return inFile(file, () =>
          options.api ? manifestToNodes(manifest).prompt : manifestToWorkflow(manifest),
        );
      },
      options,
      terminal,
    ),
  );
  const manifest = plan
    .command('manifest')
    .description('save merge nodes as a manifest, as JSON')
    .argument('<workflow>', 'a workflow or prompt graph of ComfyUI, or a picture that embeds one')
    .addOption(new Option('--node <id>', 'the Run Merge node that is meant (default: the only one)'));
  addOutOptions(manifest).action((file: string, options: ManifestOptions) =>
    write(
      async () => {
        const prompt = await readGraph(file);
        return inFile(file, () => manifestOf(prompt, options.node));
      },
      options,
      terminal,
    ),
  );
}

function addOutOptions(command: Command): Command {
  return command
    .option('--out <file>', 'where to write (default: to the standard output)')
    .option('--force', 'replace an existing file')
    .option('--json', 'print one JSON document');
}

async function write(
  make: () => Promise<unknown>,
  { out, force = false, json }: OutOptions,
  { print }: Terminal,
): Promise<void> {
  if (out !== undefined && !force) await refuseTaken(out);
  const text = JSON.stringify(await make(), null, 2);
  if (out === undefined) return print(text);
  await writeFileAtomic(out, new TextEncoder().encode(`${text}\n`), { replace: force });
  print(json ? JSON.stringify({ out }) : `wrote ${out}`);
}

/** @throws LineageError `merge/graph` without a Run Merge node, or with several; `pipeline/…` of the first finding */
function manifestOf(prompt: ApiPrompt, node: string | undefined): unknown {
  const runs = listRuns(prompt);
  const [first, second] = runs;
  if (node === undefined && (first === undefined || second !== undefined)) {
    const got = first === undefined ? 'none' : `the nodes ${runs.join(', ')}: name one of them with --node`;
    throw new LineageError('merge/graph', `expected one Run Merge node, got ${got}`);
  }
  const manifest = named(nodesToRun(prompt, node ?? first ?? ''));
  const refusal = refusalOf(readManifest(manifest).findings);
  if (refusal) throw refusal;
  return manifest;
}

/** What the node says of its file, written into the manifest. */
function named({ manifest: given, result, outputName, precision }: GraphRun): unknown {
  const manifest = typeof given === 'string' ? parseManifestText(given, 'manifest') : given;
  const path = outputName === undefined ? undefined : `${outputName}.safetensors`;
  return nameOutput(manifest, result, { path, precision });
}

/** @throws LineageError `file/missing`, `file/unreadable`, `graph/malformed`, `merge/graph` */
async function readGraph(file: string): Promise<ApiPrompt> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  return inFile(file, () => {
    const document = parse(detectImageFormat(bytes) === undefined ? bytes : embeddedIn(bytes));
    for (const graph of graphsOf(document)) {
      if (isWorkflow(graph)) return workflowToPrompt(graph);
      const prompt = readPrompt(graph);
      if (prompt) return prompt;
    }
    throw new LineageError('graph/malformed', 'expected a workflow or a prompt graph, got another document');
  });
}

function embeddedIn(bytes: Uint8Array): string {
  const { prompt, workflow } = readCarried(readContainer(bytes));
  const text = prompt ?? workflow;
  if (text !== undefined) return text;
  throw new LineageError('graph/malformed', 'expected a picture that embeds its graph, got none');
}

function parse(source: Uint8Array | string): unknown {
  try {
    return JSON.parse(
      typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source),
    );
  } catch (cause) {
    throw new LineageError('graph/malformed', `expected JSON, got: ${reasonOf(cause)}`, {}, { cause });
  }
}

/** The document itself, or what it is a recording of: `{prompt, workflow}`. */
function graphsOf(document: unknown): readonly unknown[] {
  return isRecord(document) ? [document, document['prompt'], document['workflow']] : [];
}

function readPrompt(graph: unknown): ApiPrompt | undefined {
  if (!isRecord(graph)) return undefined;
  const nodes = Object.entries(graph).flatMap(([id, node]): [string, ApiNode][] => {
    if (!isRecord(node) || typeof node['class_type'] !== 'string') return [];
    const { class_type, inputs } = node;
    return [[id, { class_type, inputs: isRecord(inputs) ? inputs : {} }]];
  });
  return nodes.length === 0 ? undefined : Object.fromEntries(nodes);
}
