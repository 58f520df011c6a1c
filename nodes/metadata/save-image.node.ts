import { rulePacks } from '../../rules/index.gen.ts';
import { readContainer } from '../formats/container.ts';
import { encodePixels } from '../formats/pixels.ts';
import type { InputsOf } from '../kit/define-node.ts';
import { defineNode } from '../kit/define-node.ts';
import type { Host } from '../kit/host.ts';
import type { ImageFormat } from '../kit/values.ts';
import { createWarningLog } from '../kit/warning-log.ts';
import { type CarriedMetadata, readCarried } from './carried.ts';
import { describePicture, writeUp } from './describe.ts';
import { embedMetadata } from './embed.ts';
import { stringifyAscii } from './exact-json.ts';
import { fillFileName } from './file-name.ts';
import { GENERATOR } from './generator.ts';
import { parsePromptGraph } from './graph.ts';
import { meantBy } from './meant.ts';
import { takeOver } from './pass-through.ts';
import { findPin } from './pin.ts';
import { makeReceipt } from './receipt.ts';
import type { Resources } from './resolve.ts';
import { createRuleBook } from './rule-book.ts';
import { DEFAULT_MAX_SAMPLERS, type SelectOptions } from './samplers.ts';
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
    const description = await describePicture(
      graph,
      host.nodeId,
      {
        book,
        models: host.models,
        options: {
          ...selectionOf(inputs, host),
          debug: (line) => host.log('debug', line),
          ...(host.executed && { executed: host.executed.bind(host) }),
        },
      },
      warn,
      host.signal,
    );
    const source = await readSourceMetadata(description.learnt.picture.source?.image, host);

    const saved: { filename: string; subfolder: string; type: 'output' }[] = [];
    const receipts: object[] = [];
    for (const [index, image] of inputs.images.entries()) {
      host.signal.throwIfAborted();
      const size = { width: image.width, height: image.height };
      const options = {
        size,
        civitaiSampler: inputs.civitai_sampler ?? false,
        guidanceAsCfg: inputs.guidance_as_cfg ?? false,
        loraSummary: inputs.include_lora_summary ?? false,
        loraStrengthsInPrompt: inputs.lora_strengths_in_prompt ?? false,
        ...(inputs.extra_metadata && { extra: inputs.extra_metadata }),
        ...(inputs.images.length > 1 && { batch: { index, size: inputs.images.length } }),
      };
      const told = writeUp(description, options, GENERATOR, warn);
      const own = {
        parameters: told.parameters,
        record: stringifyAscii(told.record),
        ...(inputs.save_workflow_image !== false && graphsOf(host)),
      };
      const metadata = source ? takeOver(source, own, inputs.save_workflow_image !== false) : own;
      const encoded = await encodePixels(image, {
        format: inputs.file_format,
        quality: inputs.quality ?? 90,
        lossless: inputs.file_format === 'webp' && inputs.lossless_webp !== false,
      });
      const embedded = embedMetadata(
        encoded,
        { ...metadata, maxExifBytes: (inputs.max_jpeg_exif_kb ?? 60) * 1024 },
        warn,
      );
      for (const { what, why } of embedded.dropped)
        warn('embed/dropped', `${what}: ${why}`, `image ${index}`);

      const path = await host.writeOutput({
        prefix: fillFileName(inputs.filename_prefix, { learnt: description.learnt, size, now: host.now }),
        extension: EXTENSION[inputs.file_format],
        counter: inputs.add_counter_to_filename !== false,
        bytes: embedded.bytes,
        companions: companionsOf(inputs, host, metadata.record),
      });
      saved.push(splitPath(path));
      if (inputs.receipt) receipts.push(makeReceipt(embedded.bytes, meantBy(metadata)));
    }

    logHashes(inputs.model_hash_log ?? 'none', description.resources, host);
    for (const { code, message, where } of warnings) {
      const quiet = code === 'graph/unknown-class' && inputs.suppress_missing_class_log !== false;
      host.log(quiet ? 'debug' : 'warn', `[${code}] ${where === '' ? '' : `${where}: `}${message}`);
    }
    return { outputs: { images: inputs.images }, ui: { images: saved, warnings, receipts } };
  },
});

type Inputs = InputsOf<typeof saveImageInputs>;

function selectionOf(inputs: Inputs, host: Host): SelectOptions {
  const method = inputs.sampler_selection_method;
  const pinned = findPin(host.extraPnginfo['workflow'], 'sampler');
  return {
    select: method === 'by id' ? 'range' : method,
    maxSamplers: inputs.max_samplers ?? DEFAULT_MAX_SAMPLERS,
    ...(method === 'by id' && { sampler: (inputs.sampler_selection_node_id ?? '').trim() }),
    ...(pinned !== undefined && { pinned }),
  };
}

/** What a picture that only passes through says of itself. */
async function readSourceMetadata(
  name: string | undefined,
  host: Host,
): Promise<CarriedMetadata | undefined> {
  const bytes = name === undefined ? undefined : await host.readInput?.(name);
  return bytes && readCarried(readContainer(bytes));
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

/** `a/b/c.png` as ComfyUI's clients want it. */
function splitPath(path: string): { filename: string; subfolder: string; type: 'output' } {
  const at = path.lastIndexOf('/');
  return { filename: path.slice(at + 1), subfolder: at < 0 ? '' : path.slice(0, at), type: 'output' };
}
