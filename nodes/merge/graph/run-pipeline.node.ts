import { CheckpointPart } from '../../kit/checkpoint-part.ts';
import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { LineageError } from '../../kit/errors.ts';
import { choice, custom, text } from '../../kit/fields.ts';
import { isRecord } from '../../kit/is-record.ts';
import { joinSteps, LINEAGE_MERGE, type MergeValue, parseMergeValue } from './merge-value.ts';
import { LINEAGE_MERGE_REPORT } from './report-text.ts';
import { parseJson, wrongInput } from './step-words.ts';

/** The precision that the manifest says, or that of the first model. */
export const AS_WRITTEN = 'as written';

const also = custom(LINEAGE_MERGE, {
  optional: true,
  advanced: true,
  tooltip: 'Further steps to run, for example a check; the model that comes out is that of merge.',
  parse: parseMergeValue,
});

/** Inputs of the node. */
const runPipelineInputs = {
  output_name: text({
    default: 'merged',
    tooltip:
      'Name of the file in the folder checkpoints of the output. The same merge is made once; another one gets a number. Empty: the name in the manifest.',
  }),
  precision: choice([AS_WRITTEN, 'fp32', 'fp16', 'bf16', 'fp8_e4m3', 'fp8_e5m2'], {
    default: AS_WRITTEN,
    tooltip:
      'How the numbers of the result are stored; as written: as the manifest says, or as in the first model.',
  }),
  manifest: text({
    default: '',
    multiline: true,
    optional: true,
    tooltip:
      'A manifest as JSON or YAML; its paths are names of model files. Beside a merge: what is said of the whole, as JSON, for example {"pipeline": {"name": "…"}}.',
  }),
  merge: custom(LINEAGE_MERGE, {
    optional: true,
    tooltip: 'The merge to run, from the other merge nodes.',
    parse: parseMergeValue,
  }),
  also1: also,
  also2: also,
  also3: also,
};

type Inputs = InputsOf<typeof runPipelineInputs>;
const ALSO = ['also1', 'also2', 'also3'] as const;
/** How many merges the node takes beside the one that comes out. */
export const ALSO_SOCKETS = ALSO.length;

/**
 * The manifest that the node runs, text or parsed, and the step whose model comes out.
 * @throws LineageError `merge/graph`
 */
export function pipelineOf(inputs: Inputs): { readonly manifest: unknown; readonly result?: string } {
  const typed = inputs.manifest ?? '';
  const values = [inputs.merge, ...ALSO.map((name) => inputs[name])].flatMap((value) => value ?? []);
  if (values.length === 0) {
    if (typed.trim() !== '') return { manifest: typed };
    throw wrongInput('merge', 'a merge, or a manifest as text', '');
  }
  if (!inputs.merge) throw wrongInput('merge', 'the merge whose model comes out', '');
  const { steps, result } = withStep(inputs.merge);
  const said = typed.trim() === '' ? {} : parseJson(typed, 'manifest');
  const pipeline = isRecord(said) ? (said['pipeline'] ?? {}) : undefined;
  if (!isRecord(said) || !isRecord(pipeline) || 'steps' in pipeline || 'models' in said)
    throw wrongInput('manifest', 'a JSON object without steps beside a merge', typed);
  const all = joinSteps([...values.slice(1).map((value) => value.steps), steps]);
  return { manifest: { ...said, pipeline: { ...pipeline, steps: all } }, ...(result && { result }) };
}

/** A file that nothing was done with becomes a step that copies it. */
function withStep({ steps, result }: MergeValue): { steps: MergeValue['steps']; result?: string } {
  if (!result) return { steps };
  const { step } = result;
  if (typeof step === 'string') return { steps, result: step };
  return { steps: [...steps, { id: 'copy', type: 'convert', model: result }], result: 'copy' };
}

export default defineNode({
  id: 'LineageRunPipeline',
  title: 'Run Merge',
  category: 'lineage/merge',
  description:
    'Makes the merged checkpoint, with its recipe in it, and loads it. Memory does not grow with the models.',
  terminal: true,
  inputs: runPipelineInputs,
  outputs: {
    model: { type: 'MODEL', tooltip: 'The merged model, as Load Checkpoint loads it.' },
    clip: { type: 'CLIP', tooltip: 'Its text encoders.' },
    vae: { type: 'VAE', tooltip: 'Its VAE.' },
    name: { type: 'STRING', tooltip: 'The name of the file, as loaders of checkpoints list it.' },
    report: { type: LINEAGE_MERGE_REPORT, tooltip: 'What was done, for Merge Report.' },
  },

  async run(inputs, host) {
    if (!host.pipelines)
      throw new LineageError('merge/no-host', 'expected a host that merges, got one that cannot');
    const { manifest, result } = pipelineOf(inputs);
    const outputName = inputs.output_name.trim();
    const made = await host.pipelines.run({
      manifest,
      ...(result !== undefined && { result }),
      ...(outputName !== '' && { outputName }),
      ...(inputs.precision !== AS_WRITTEN && { precision: inputs.precision }),
      signal: host.signal,
      progress: (value, total) => host.progress?.(value, total),
    });
    for (const line of made.report.warnings) host.log('warn', line);
    const { name, report } = made;
    return {
      outputs: {
        model: new CheckpointPart('MODEL', made),
        clip: new CheckpointPart('CLIP', made),
        vae: new CheckpointPart('VAE', made),
        name,
        report,
      },
      ui: { text: [name] },
    };
  },
});
