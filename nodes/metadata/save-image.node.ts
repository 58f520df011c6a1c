import { readContainer } from '../formats/container.ts';
import type { EncodeOptions } from '../formats/pixels.ts';
import type { InputsOf } from '../kit/define-node.ts';
import { defineNode } from '../kit/define-node.ts';
import { isLineageError } from '../kit/errors.ts';
import { stringifyAscii } from '../kit/exact-json.ts';
import type { Host } from '../kit/host.ts';
import type { HashLogMode } from '../kit/owner-settings.ts';
import { type SavedFile, toSavedFile } from '../kit/saved-file.ts';
import type { ImageFormat } from '../kit/values.ts';
import { createWarningLog } from '../kit/warning-log.ts';
import type { Warning, WarningSink } from '../kit/warnings.ts';
import { type CarriedMetadata, readCarried } from './carried.ts';
import { DEFAULT_MAX_EXIF_KB, embedMetadata } from './embed.ts';
import { encodeInOrder } from './encode-in-order.ts';
import { createEvaluator } from './evaluate.ts';
import { fillFileName } from './file-name.ts';
import { parsePromptGraph } from './graph.ts';
import { findHints } from './hints.ts';
import { type LearnOptions, type Learnt, learn } from './learn.ts';
import { meantBy } from './meant.ts';
import { findNamedWidgets } from './named-widgets.ts';
import { findPin } from './pin.ts';
import { makeReceipt, type Receipt } from './receipt.ts';
import { type Resources, resolveResources } from './resolve.ts';
import { openHostBook } from './rules/user-book.ts';
import { DEFAULT_MAX_SAMPLERS } from './samplers.ts';
import { saveImageInputs } from './save-image-inputs.ts';
import { type WriteUpOptions, writeUp } from './write-up.ts';

const EXTENSION: Readonly<Record<ImageFormat, string>> = {
  png: 'png',
  jpeg: 'jpg',
  webp: 'webp',
  avif: 'avif',
};

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
    const book = await openHostBook(host.rules, warn);
    const learnt = learn(graph, host.nodeId, book, traceOptionsOf(inputs, host), warn);
    const resources = await resolveResources(learnt, host.models, warn, { signal: host.signal });
    const widgets = findNamedWidgets({
      graph,
      evaluator: createEvaluator(graph, book, host.executed?.bind(host)),
      prompt: host.prompt,
      workflow: host.extraPnginfo['workflow'],
    });
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
        prefix: fillFileName(inputs.filename_prefix, {
          learnt,
          size: image,
          now: host.now,
          batchNumber: index,
          widgets,
        }),
        extension: EXTENSION[inputs.file_format],
        counter: inputs.add_counter_to_filename !== false,
      };
      if (host.disableMetadata) {
        saved.push(toSavedFile(await host.writeOutput({ ...name, bytes: encoded }), 'output'));
      } else {
        const { metadata } = writeUp(learnt, resources, writeUpOptionsOf(inputs, index, source, host), warn);
        const embedded = embedMetadata(
          encoded,
          { ...metadata, maxExifBytes: exifBytesOf(inputs, host) },
          warn,
        );
        const companions = companionsOf(inputs, host, metadata.record);
        const path = await host.writeOutput({ ...name, bytes: embedded.bytes, companions });
        saved.push(toSavedFile(path, 'output'));
        if (inputs.receipt) receipts.push(makeReceipt(embedded.bytes, meantBy(metadata, embedded)));
      }
      host.progress?.(index + 1, inputs.images.length);
    }

    logHashes(hashLogOf(inputs, host), resources, host);
    if (host.owner?.debugPrompts) logPrompts(learnt, host);
    logWarnings(warnings, inputs.suppress_missing_class_log !== false, host);
    return { outputs: { images: inputs.images }, ui: { images: saved, warnings, receipts } };
  },
});

type Inputs = InputsOf<typeof saveImageInputs>;

/** A mistyped id must not cost a finished picture: like a pin, it is warned of and ignored. */
function traceOptionsOf(inputs: Inputs, host: Host): LearnOptions {
  const method = inputs.sampler_selection_method;
  const chosen = method === 'by id' ? (inputs.sampler_selection_node_id ?? '').trim() : undefined;
  const workflow = host.extraPnginfo['workflow'];
  const pinned = findPin(workflow, 'sampler') ?? chosen;
  return {
    debug: (line) => host.log('debug', line),
    ...(host.executed && { executed: host.executed.bind(host) }),
    select: method === 'by id' ? 'range' : method,
    maxSamplers: inputs.max_samplers ?? DEFAULT_MAX_SAMPLERS,
    hints: findHints(workflow),
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
    loraSummary: inputs.include_lora_summary === true && !host.owner?.noLoraSummary,
    hashDetail: !host.owner?.noHashDetail,
    digitalSource: inputs.digital_source_type !== false,
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

function exifBytesOf({ max_jpeg_exif_kb: kilobytes }: Inputs, { owner }: Host): number {
  return Math.min((kilobytes ?? DEFAULT_MAX_EXIF_KB) * 1024, owner?.maxExifBytes ?? Number.POSITIVE_INFINITY);
}

function hashLogOf({ model_hash_log: mode = 'none' }: Inputs, { owner }: Host): HashLogMode {
  return mode === 'none' ? (owner?.hashLog ?? 'none') : mode;
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
    const container = readContainer(bytes);
    if (container.hasC2pa) warn('embed/dropped', 'C2PA manifest: the picture was encoded anew', name);
    return readCarried(container);
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

function logHashes(mode: HashLogMode, resources: Resources, host: Host): void {
  if (mode === 'none') return;
  for (const { kind, name, file, hashes } of resources.values()) {
    if (!hashes && mode !== 'debug') continue;
    const what = mode === 'filename' ? name : `${name} (${file ?? 'not found'})`;
    const hash = mode === 'detailed' || mode === 'debug' ? JSON.stringify(hashes ?? null) : hashes?.autoV2;
    host.log('info', `[model hash] ${kind} ${what}: ${hash}`);
  }
}

function logPrompts({ captures }: Learnt, host: Host): void {
  for (const { nodeId, positive, negative } of captures) {
    host.log('info', `[prompt] ${nodeId ?? 'no sampler'} positive: ${positive}`);
    host.log('info', `[prompt] ${nodeId ?? 'no sampler'} negative: ${negative}`);
  }
}

function logWarnings(warnings: readonly Warning[], quietUnknown: boolean, host: Host): void {
  for (const { code, message, where } of warnings) {
    const level = code === 'graph/unknown-class' && quietUnknown ? 'debug' : 'warn';
    host.log(level, `[${code}] ${where === '' ? '' : `${where}: `}${message}`);
  }
}
