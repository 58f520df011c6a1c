import { rulePacks } from '../../rules/index.gen.ts';
import { readContainer } from '../formats/container.ts';
import { type EncodeOptions, encodePixels } from '../formats/pixels.ts';
import type { InputsOf } from '../kit/define-node.ts';
import { defineNode } from '../kit/define-node.ts';
import { isLineageError } from '../kit/errors.ts';
import type { Host } from '../kit/host.ts';
import type { ImageFormat } from '../kit/values.ts';
import { createWarningLog } from '../kit/warning-log.ts';
import type { Warning, WarningSink } from '../kit/warnings.ts';
import { type CarriedMetadata, readCarried } from './carried.ts';
import { describePicture, writeUp } from './describe.ts';
import { embedMetadata } from './embed.ts';
import { stringifyAscii } from './exact-json.ts';
import type { FileMetadata } from './file-metadata.ts';
import { fillFileName } from './file-name.ts';
import { GENERATOR } from './generator.ts';
import { parsePromptGraph } from './graph.ts';
import type { LearnOptions } from './learn.ts';
import { meantBy } from './meant.ts';
import type { ParameterOptions } from './parameters.ts';
import { takeOver } from './pass-through.ts';
import { findPin } from './pin.ts';
import { makeReceipt, type Receipt } from './receipt.ts';
import type { Resources } from './resolve.ts';
import { createRuleBook } from './rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from './samplers.ts';
import { type HASH_LOG_MODES, saveImageInputs } from './save-image-inputs.ts';

const EXTENSION: Readonly<Record<ImageFormat, string>> = {
  png: 'png',
  jpeg: 'jpg',
  webp: 'webp',
  avif: 'avif',
};
const book = createRuleBook(rulePacks);

export default defineNode({
  id: 'LineageSaveImage',
  title: 'Save Image (Lineage)',
  category: 'lineage/metadata',
  description:
    'Saves pictures whose generation metadata Civitai, A1111, sd-prompt-reader, ComfyUI and exiftool read. Lists every sampler of the graph.',
  terminal: true,
  inputs: saveImageInputs,
  outputs: { images: { type: 'IMAGE', tooltip: 'The pictures, as they came.' } },

  async run(inputs, host) {
    const { warn, list: warnings } = createWarningLog();
    const graph = parsePromptGraph(host.prompt, warn);
    const setup = { book, models: host.models, options: traceOptionsOf(inputs, host) };
    const description = await describePicture(graph, host.nodeId, setup, warn, host.signal);
    const source = await readSourceMetadata(description.learnt.picture.source?.image, host, warn);

    const saved: SavedImage[] = [];
    const receipts: Receipt[] = [];
    for (const [index, image] of inputs.images.entries()) {
      host.signal.throwIfAborted();
      const written = writeUp(description, parameterOptionsOf(inputs, index), GENERATOR, warn);
      const metadata = metadataOf(written, source, inputs, host);
      const encoded = await encodePixels(image, encodingOf(inputs));
      const embedded = embedMetadata(encoded, { ...metadata, maxExifBytes: exifBytesOf(inputs) }, warn);
      for (const { what, why } of embedded.dropped)
        warn('embed/dropped', `${what}: ${why}`, `image ${index}`);

      const { bytes } = embedded;
      const path = await host.writeOutput({
        prefix: fillFileName(inputs.filename_prefix, {
          learnt: description.learnt,
          size: image,
          now: host.now,
        }),
        extension: EXTENSION[inputs.file_format],
        counter: inputs.add_counter_to_filename !== false,
        bytes,
        companions: companionsOf(inputs, host, metadata.record),
      });
      saved.push(toSavedImage(path));
      if (inputs.receipt) receipts.push(makeReceipt(bytes, meantBy(metadata, embedded)));
    }

    logHashes(inputs.model_hash_log ?? 'none', description.resources, host);
    logWarnings(warnings, inputs.suppress_missing_class_log !== false, host);
    return { outputs: { images: inputs.images }, ui: { images: saved, warnings, receipts } };
  },
});

type Inputs = InputsOf<typeof saveImageInputs>;

function traceOptionsOf(inputs: Inputs, host: Host): LearnOptions {
  const method = inputs.sampler_selection_method;
  const pinned = findPin(host.extraPnginfo['workflow'], 'sampler');
  return {
    debug: (line) => host.log('debug', line),
    ...(host.executed && { executed: host.executed.bind(host) }),
    select: method === 'by id' ? 'range' : method,
    maxSamplers: inputs.max_samplers ?? DEFAULT_MAX_SAMPLERS,
    ...(method === 'by id' && { sampler: (inputs.sampler_selection_node_id ?? '').trim() }),
    ...(pinned !== undefined && { pinned }),
  };
}

function parameterOptionsOf(inputs: Inputs, index: number): ParameterOptions {
  const { images, extra_metadata: extra } = inputs;
  const image = images[index];
  return {
    ...(image && { size: { width: image.width, height: image.height } }),
    civitaiSampler: inputs.civitai_sampler ?? false,
    guidanceAsCfg: inputs.guidance_as_cfg ?? false,
    loraSummary: inputs.include_lora_summary ?? false,
    loraStrengthsInPrompt: inputs.lora_strengths_in_prompt ?? false,
    ...(extra && { extra }),
    ...(images.length > 1 && { batch: { index, size: images.length } }),
  };
}

function encodingOf({ file_format: format, quality, lossless_webp: lossless }: Inputs): EncodeOptions {
  return { format, quality: quality ?? 90, lossless: format === 'webp' && lossless !== false };
}

function exifBytesOf({ max_jpeg_exif_kb: kilobytes }: Inputs): number {
  return (kilobytes ?? 60) * 1024;
}

/** What one file is to carry: of this graph, or of the source that the picture only passes on. */
function metadataOf(
  { parameters, record }: ReturnType<typeof writeUp>,
  source: CarriedMetadata | undefined,
  inputs: Inputs,
  host: Host,
): FileMetadata {
  const withGraphs = inputs.save_workflow_image !== false;
  const own = { parameters, record: stringifyAscii(record), ...(withGraphs && graphsOf(host)) };
  return source ? takeOver(source, own, withGraphs) : own;
}

/** What a picture that only passes through says of itself. */
async function readSourceMetadata(
  name: string | undefined,
  host: Host,
  warn: WarningSink,
): Promise<CarriedMetadata | undefined> {
  const bytes = name === undefined ? undefined : await host.readInput?.(name);
  if (!bytes) return undefined;
  try {
    return readCarried(readContainer(bytes));
  } catch (error) {
    // A picture of another format, or a damaged one, has nothing to hand on; it is saved all the same.
    if (!isLineageError(error)) throw error;
    warn('resource/unreadable', error.message, name);
    return undefined;
  }
}

/** The graph and the workflow as JSON, where the host has them: API clients send no workflow. */
function graphsOf({ prompt, extraPnginfo }: Host): { readonly prompt: string; readonly workflow?: string } {
  const workflow = extraPnginfo['workflow'];
  return {
    prompt: stringifyAscii(prompt),
    ...(workflow !== undefined && { workflow: stringifyAscii(workflow) }),
  };
}

function companionsOf(inputs: Inputs, host: Host, record: string): ReadonlyMap<string, Uint8Array> {
  const encoder = new TextEncoder();
  const files = new Map<string, Uint8Array>();
  const workflow = host.extraPnginfo['workflow'];
  if (inputs.save_workflow_json && workflow !== undefined)
    files.set('json', encoder.encode(stringifyAscii(workflow)));
  if (inputs.save_record_json)
    files.set(`${EXTENSION[inputs.file_format]}.lineage.json`, encoder.encode(record));
  return files;
}

function logHashes(mode: (typeof HASH_LOG_MODES)[number], resources: Resources, host: Host): void {
  if (mode === 'none') return;
  for (const { kind, name, file, hashes } of resources.values()) {
    if (!hashes && mode !== 'debug') continue;
    const what = mode === 'filename' ? name : `${name} (${file ?? 'not found'})`;
    const hash = mode === 'detailed' || mode === 'debug' ? JSON.stringify(hashes ?? null) : hashes?.autoV2;
    host.log('info', `[model hash] ${kind} ${what}: ${hash}`);
  }
}

function logWarnings(warnings: readonly Warning[], quietUnknown: boolean, host: Host): void {
  for (const { code, message, where } of warnings) {
    const level = code === 'graph/unknown-class' && quietUnknown ? 'debug' : 'warn';
    host.log(level, `[${code}] ${where === '' ? '' : `${where}: `}${message}`);
  }
}

/** As ComfyUI's clients want it. */
type SavedImage = { readonly filename: string; readonly subfolder: string; readonly type: 'output' };

function toSavedImage(path: string): SavedImage {
  const at = path.lastIndexOf('/');
  return { filename: path.slice(at + 1), subfolder: at < 0 ? '' : path.slice(0, at), type: 'output' };
}
