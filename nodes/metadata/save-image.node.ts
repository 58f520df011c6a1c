import { rulePacks } from '../../rules/index.gen.ts';
import { readContainer } from '../formats/container.ts';
import type { EncodeOptions } from '../formats/pixels.ts';
import type { InputsOf } from '../kit/define-node.ts';
import { defineNode } from '../kit/define-node.ts';
import { isLineageError } from '../kit/errors.ts';
import { stringifyAscii } from '../kit/exact-json.ts';
import type { Host } from '../kit/host.ts';
import { type SavedFile, toSavedFile } from '../kit/saved-file.ts';
import type { ImageFormat } from '../kit/values.ts';
import { createWarningLog } from '../kit/warning-log.ts';
import type { Warning, WarningSink } from '../kit/warnings.ts';
import { type CarriedMetadata, readCarried } from './carried.ts';
import { DEFAULT_MAX_EXIF_KB, embedMetadata } from './embed.ts';
import { encodeInOrder } from './encode-in-order.ts';
import { fillFileName } from './file-name.ts';
import { parsePromptGraph } from './graph.ts';
import { type LearnOptions, learn } from './learn.ts';
import { meantBy } from './meant.ts';
import { findPin } from './pin.ts';
import { makeReceipt, type Receipt } from './receipt.ts';
import { type Resources, resolveResources } from './resolve.ts';
import { createRuleBook } from './rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from './samplers.ts';
import { type HASH_LOG_MODES, saveImageInputs } from './save-image-inputs.ts';
import { type WriteUpOptions, writeUp } from './write-up.ts';

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
    const learnt = learn(graph, host.nodeId, book, traceOptionsOf(inputs, host), warn);
    const resources = await resolveResources(learnt, host.models, warn, { signal: host.signal });
    const source = await readSourceMetadata(learnt.picture.source?.image, host, warn);

    const saved: SavedFile[] = [];
    const receipts: Receipt[] = [];
    for await (const { index, image, encoded } of encodeInOrder(
      inputs.images,
      encodingOf(inputs),
      host.signal,
    )) {
      host.signal.throwIfAborted();
      const name = {
        prefix: fillFileName(inputs.filename_prefix, { learnt, size: image, now: host.now }),
        extension: EXTENSION[inputs.file_format],
        counter: inputs.add_counter_to_filename !== false,
      };
      if (host.disableMetadata) {
        saved.push(toSavedFile(await host.writeOutput({ ...name, bytes: encoded }), 'output'));
      } else {
        const { metadata } = writeUp(learnt, resources, writeUpOptionsOf(inputs, index, source, host), warn);
        const embedded = embedMetadata(encoded, { ...metadata, maxExifBytes: exifBytesOf(inputs) }, warn);
        const companions = companionsOf(inputs, host, metadata.record);
        const path = await host.writeOutput({ ...name, bytes: embedded.bytes, companions });
        saved.push(toSavedFile(path, 'output'));
        if (inputs.receipt) receipts.push(makeReceipt(embedded.bytes, meantBy(metadata, embedded)));
      }
      host.progress?.(index + 1, inputs.images.length);
    }

    logHashes(inputs.model_hash_log ?? 'none', resources, host);
    logWarnings(warnings, inputs.suppress_missing_class_log !== false, host);
    return { outputs: { images: inputs.images }, ui: { images: saved, warnings, receipts } };
  },
});

type Inputs = InputsOf<typeof saveImageInputs>;

/** A mistyped id must not cost a finished picture: like a pin, it is warned of and ignored. */
function traceOptionsOf(inputs: Inputs, host: Host): LearnOptions {
  const method = inputs.sampler_selection_method;
  const chosen = method === 'by id' ? (inputs.sampler_selection_node_id ?? '').trim() : undefined;
  const pinned = findPin(host.extraPnginfo['workflow'], 'sampler') ?? chosen;
  return {
    debug: (line) => host.log('debug', line),
    ...(host.executed && { executed: host.executed.bind(host) }),
    select: method === 'by id' ? 'range' : method,
    maxSamplers: inputs.max_samplers ?? DEFAULT_MAX_SAMPLERS,
    ...(pinned !== undefined && { pinned }),
  };
}

function writeUpOptionsOf(
  inputs: Inputs,
  index: number,
  source: CarriedMetadata | undefined,
  host: Host,
): WriteUpOptions {
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
    ...(source && { source }),
    ...(inputs.save_workflow_image !== false && {
      graphs: { prompt: host.prompt, workflow: host.extraPnginfo['workflow'] },
    }),
  };
}

function encodingOf({ file_format: format, quality, lossless_webp: lossless }: Inputs): EncodeOptions {
  return { format, quality: quality ?? 90, lossless: format === 'webp' && lossless !== false };
}

function exifBytesOf({ max_jpeg_exif_kb: kilobytes }: Inputs): number {
  return (kilobytes ?? DEFAULT_MAX_EXIF_KB) * 1024;
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
