import { choice, custom, images, integer, text, toggle } from '../kit/fields.ts';
import { HASH_LOG_MODES } from '../kit/owner-settings.ts';
import { IMAGE_FORMATS } from '../kit/values.ts';
import { DEFAULT_MAX_EXIF_KB } from './embed.ts';
import { EXTRA_METADATA, parseExtraMetadata } from './extra-metadata.node.ts';
import { DEFAULT_MAX_SAMPLERS, SELECT_METHODS } from './samplers.ts';

/** `by id` uses the id typed beside it. */
const SELECTION = [...SELECT_METHODS, 'by id'] as const;

/** The widgets and sockets of Lineage Save Image. Names are promises: saved workflows hold them. */
export const saveImageInputs = {
  images: images({ samples: 'uint8', tooltip: 'The pictures to save.' }),
  filename_prefix: text({
    default: 'ComfyUI',
    tooltip:
      'Name before the counter; folders with /. Tokens: %seed% %width% %height% %model:8% %pprompt:20% %nprompt% %date:yyyy-MM-dd% %Node.widget%, or %Y-%m-%d as strftime has it.',
  }),
  file_format: choice(IMAGE_FORMATS, {
    default: 'png',
    tooltip: 'JPEG holds least metadata: see max_jpeg_exif_kb.',
  }),
  sampler_selection_method: choice(SELECTION, {
    default: 'range',
    tooltip:
      'Which sampler the main fields describe: the one that runs most steps (range), the first (farthest), the last (nearest), or one by id. A pinned node wins.',
  }),
  sampler_selection_node_id: text({
    default: '',
    optional: true,
    tooltip: 'For "by id": the sampler\'s id; inside a subgraph it looks like 57:8.',
  }),
  max_samplers: integer({
    default: DEFAULT_MAX_SAMPLERS,
    min: 1,
    max: 64,
    optional: true,
    tooltip: 'How many samplers are listed.',
  }),
  quality: integer({
    default: 90,
    min: 1,
    max: 100,
    optional: true,
    tooltip: 'For JPEG and lossy WebP and AVIF.',
  }),
  lossless_webp: toggle({
    default: true,
    optional: true,
    tooltip: 'WebP without loss; quality then counts for nothing.',
  }),
  max_jpeg_exif_kb: integer({
    default: DEFAULT_MAX_EXIF_KB,
    min: 4,
    max: 64,
    optional: true,
    tooltip:
      'Largest metadata segment of a JPEG, in KiB. What does not fit is left out in stages and reported.',
  }),
  add_counter_to_filename: toggle({
    default: true,
    optional: true,
    tooltip: 'Off: a file of the same name is never replaced, but refused.',
  }),
  save_workflow_image: toggle({
    default: true,
    optional: true,
    tooltip: 'Embeds the workflow and the prompt graph, to drop the picture on the canvas.',
  }),
  save_workflow_json: toggle({
    default: false,
    optional: true,
    tooltip: 'Writes the workflow beside the picture as .json.',
  }),
  save_record_json: toggle({
    default: false,
    optional: true,
    tooltip: 'Writes the structured record beside the picture, as NAME.EXT.lineage.json.',
  }),
  civitai_sampler: toggle({
    default: false,
    optional: true,
    tooltip: "Names the sampler as Civitai does: 'DPM++ 2M Karras' in one key.",
  }),
  guidance_as_cfg: toggle({
    default: false,
    optional: true,
    tooltip: 'Writes Flux guidance as the CFG scale.',
  }),
  include_lora_summary: toggle({
    default: false,
    optional: true,
    tooltip: 'Adds one key with all LoRAs and strengths.',
  }),
  lora_strengths_in_prompt: toggle({
    default: false,
    optional: true,
    tooltip: 'Appends <lora:name:strength> to the positive prompt, so that Civitai shows the weights.',
  }),
  suppress_missing_class_log: toggle({
    default: true,
    optional: true,
    advanced: true,
    tooltip: 'Logs class types that no rule knows as debug lines only.',
  }),
  model_hash_log: choice(HASH_LOG_MODES, {
    default: 'none',
    advanced: true,
    optional: true,
    tooltip: 'How much of each hashed model is logged.',
  }),
  receipt: toggle({
    default: false,
    optional: true,
    tooltip: 'Reads the file again as each reader would, and shows what it sees.',
  }),
  digital_source_type: toggle({
    default: true,
    optional: true,
    tooltip: "Says in XMP that a model made the picture, in IPTC's words: what the EU AI Act asks for.",
  }),
  extra_metadata: custom(EXTRA_METADATA, {
    optional: true,
    tooltip: 'Further keys from Extra Metadata nodes.',
    parse: parseExtraMetadata,
  }),
};
