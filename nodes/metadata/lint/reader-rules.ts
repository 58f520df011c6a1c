import type { LossId, MismatchId } from '../readers/losses.ts';
import type { ReaderId } from '../readers/reader.ts';
import type { RuleText, Severity } from './lint-rule.ts';

const WRITE_ANEW = 'Write it anew with `lineage tag`.';
const NOTHING = 'Nothing is to be done.';
const REWORD = 'Reword the prompt there if that reader matters.';
const SHORTER_SEED = 'Use seeds up to 9007199254740992 if that reader matters.';
const OTHER_FORMAT = 'Save as one of these if that reader matters.';
const OTHER_KEY = 'Choose another name for the key.';
const NO_LATIN1 = 'Keep the workflow in the picture, or write the text as iTXt.';

/** Makes the rules of one reader. */
function rulesOf(reader: ReaderId) {
  const ofSeverity =
    (severity: Severity) =>
    (id: string, reason: string, action = WRITE_ANEW): RuleText => ({ id, severity, reader, reason, action });
  return { note: ofSeverity('note'), warning: ofSeverity('warning'), error: ofSeverity('error') };
}
const civitai = rulesOf('civitai');
const a1111 = rulesOf('a1111');
const sdPromptReader = rulesOf('sd-prompt-reader');
const comfyui = rulesOf('comfyui');
const sdMetadata = rulesOf('sd-metadata');
const imageMetahub = rulesOf('image-metahub');

/** A rule for each loss of a reader's own, one a reader for what else differs there, and what no reader reports. */
export type ReaderRuleName =
  | Exclude<LossId, MismatchId>
  | `differs-${ReaderId}`
  | 'value-with-colon'
  | 'compressed-text';

/** What each reader loses, by name. */
export const READER_RULES: Readonly<Record<ReaderRuleName, RuleText>> = {
  'steps-missing': civitai.error('M101', 'Civitai reads a text only if a line of it starts with "Steps: ".'),
  'civitai-no-data': civitai.warning('M102', 'Civitai finds neither a parameters text nor a prompt graph.'),
  'hashes-not-texts': civitai.error(
    'M103',
    'Civitai rejects the whole record where Hashes is not a JSON object of texts.',
  ),
  'resources-not-a-list': civitai.error(
    'M104',
    'Civitai rejects the whole record where Civitai resources is not a JSON list.',
  ),
  'civitai-metadata-not-an-object': civitai.error(
    'M105',
    'Civitai rejects the whole record where Civitai metadata is not a JSON object.',
  ),
  'number-expected': civitai.error(
    'M106',
    'Civitai rejects the whole record where steps, CFG, seed or clip skip is no number.',
    'Leave the key out, or write it anew with `lineage tag`.',
  ),
  'sampler-quoted': civitai.error(
    'M107',
    'Civitai rejects the whole record where the sampler is quoted.',
    'Name the sampler without commas and colons.',
  ),
  'hash-not-a-text': civitai.error(
    'M108',
    'Civitai rejects the whole record where a hash is no text.',
    'Leave the hash out, or write it anew with `lineage tag`.',
  ),
  'lora-weight-not-a-number': civitai.error(
    'M109',
    'Civitai rejects the whole record where the weight in a LoRA tag is no number.',
    'Correct the tag in the prompt.',
  ),
  'graph-not-looked-at': civitai.note(
    'M110',
    'Civitai takes the first kind of data it knows: beside a parameters text it does not look at the graph.',
    'Leave the parameters text out where the graph is to be shown.',
  ),
  'negative-mark-in-prompt-civitai': civitai.warning(
    'M111',
    'Civitai splits the text wherever "Negative prompt:" stands.',
    REWORD,
  ),
  'template-line': civitai.warning(
    'M112',
    'Civitai removes lines that start with "Template: " and what follows them.',
    REWORD,
  ),
  'steps-in-prompt-civitai': civitai.error(
    'M113',
    'Civitai takes the first line that starts with "Steps: " for the settings, also in a prompt.',
    REWORD,
  ),
  'blank-lines-dropped': civitai.note(
    'M114',
    'Civitai drops blank lines, so paragraphs of a prompt run together.',
    NOTHING,
  ),
  'seed-rounded-civitai': civitai.warning(
    'M115',
    'Civitai keeps the seed as a JavaScript number and rounds long ones.',
    SHORTER_SEED,
  ),
  'lora-tag-invisible': civitai.warning(
    'M116',
    'Civitai sees a LoRA tag only with a name of letters, digits, _ . - and one weight without a sign.',
    'Rename the LoRA, or rely on its hash.',
  ),
  'lora-weight-unknown': civitai.note(
    'M117',
    'Civitai takes the weight of a LoRA from a tag in the prompt, and 1.0 without one.',
    'Save with LoRA strengths in the prompt where the weights are to be shown.',
  ),
  'model-hash-missing': civitai.warning(
    'M118',
    'Civitai links a model by its hash, and the text has none.',
    'Write it anew with `lineage tag --models FOLDER`.',
  ),
  'key-lost-civitai': civitai.warning(
    'M119',
    'Civitai reserves some names and ends the line at "Resources: ".',
    OTHER_KEY,
  ),
  'value-with-colon': civitai.warning(
    'M121',
    'Civitai takes a colon in an unquoted value for the end of a key.',
    'Write the value without a colon.',
  ),
  'differs-civitai': civitai.warning('M199', 'Civitai shows something else than the file says.'),

  'a1111-no-text': a1111.warning('M201', 'A1111 and Forge read only a parameters text, and find none.'),
  'too-few-settings': a1111.error(
    'M202',
    'A1111 takes the last line for settings only if it holds three "key: value" pairs.',
  ),
  'negative-mark-in-prompt-a1111': a1111.warning(
    'M203',
    'A1111 starts the negative prompt at the first line that begins with "Negative prompt:".',
    REWORD,
  ),
  'line-ends-stripped': a1111.note('M204', 'A1111 strips the spaces at both ends of every line.', NOTHING),
  'utf16-order': a1111.error(
    'M206',
    'A1111 reads a UserComment as big-endian UTF-16 without a byte order mark.',
  ),
  'key-lost-a1111': a1111.note(
    'M207',
    'A1111 knows keys of letters, digits, spaces, - and / only, and no empty values.',
    OTHER_KEY,
  ),
  'differs-a1111': a1111.warning('M299', 'A1111 shows something else than the file says.'),

  'model-tag': sdPromptReader.error(
    'M301',
    'sd-prompt-reader takes the EXIF Model tag for JSON and crashes on anything else.',
    'Write it anew with `lineage tag`, which keeps the graph in other tags; a camera keeps its name.',
  ),
  'sd-prompt-reader-no-text': sdPromptReader.warning('M302', 'sd-prompt-reader finds no parameters text.'),
  'jpeg-comment': sdPromptReader.error(
    'M303',
    'sd-prompt-reader takes any JPEG comment for Fooocus data and reads nothing else then.',
    'Take the comment out.',
  ),
  'rgba-webp': sdPromptReader.error(
    'M304',
    'sd-prompt-reader looks for hidden NovelAI data in a picture with alpha and never at its EXIF.',
    'Save the picture without an alpha channel.',
  ),
  'no-user-comment': sdPromptReader.warning(
    'M305',
    'sd-prompt-reader reads JPEG and WebP by their EXIF UserComment, and there is none.',
  ),
  'unknown-character-code': sdPromptReader.error(
    'M306',
    'sd-prompt-reader needs one of the character codes of EXIF in front of the UserComment.',
  ),
  'not-a-parameters-text': sdPromptReader.warning(
    'M307',
    'sd-prompt-reader finds no parameters text in the UserComment.',
  ),
  'odd-comment': sdPromptReader.error(
    'M308',
    'sd-prompt-reader tries a UserComment as UTF-16 first and fails on an odd number of bytes.',
    'Write it anew with `lineage tag`, which makes the number even.',
  ),
  'half-surrogates': sdPromptReader.error(
    'M309',
    'sd-prompt-reader tries a UserComment as little-endian UTF-16 first and fails on half a surrogate pair.',
    'Leave the rare character out of the prompt.',
  ),
  'size-malformed': sdPromptReader.error('M310', 'sd-prompt-reader needs Size as WxH.'),
  'size-missing': sdPromptReader.warning('M311', 'sd-prompt-reader shows 0x0 without a Size.'),
  'negative-mark-in-prompt-sdpr': sdPromptReader.warning(
    'M312',
    'sd-prompt-reader splits at the first line that starts with "Negative prompt:".',
    REWORD,
  ),
  'steps-in-prompt-sdpr': sdPromptReader.error(
    'M313',
    'sd-prompt-reader takes the first line that starts with "Steps:" for the settings, also in a prompt.',
    REWORD,
  ),
  'empty-first-line': sdPromptReader.warning(
    'M314',
    'sd-prompt-reader cuts a text wrongly that starts with "Negative prompt:".',
    'Leave an empty line for the empty prompt.',
  ),
  'sd-prompt-reader-format': sdPromptReader.note(
    'M315',
    'sd-prompt-reader opens PNG, JPEG and WebP only.',
    OTHER_FORMAT,
  ),
  'differs-sd-prompt-reader': sdPromptReader.warning(
    'M399',
    'sd-prompt-reader shows something else than the file says.',
  ),

  'jpeg-not-opened': comfyui.note(
    'M401',
    'The front end of ComfyUI opens no JPEG without an extension.',
    'Save as PNG, WebP or AVIF where the workflow is to be dropped on the canvas.',
  ),
  'avif-brand': comfyui.error(
    'M402',
    'The front end of ComfyUI opens an AVIF only with the major brand "avif".',
    'Encode the picture anew.',
  ),
  'infotext-not-importable': comfyui.warning(
    'M403',
    'The front end of ComfyUI imports an A1111 text only with a "Negative prompt:" line and a "Steps:" line behind line breaks.',
  ),
  'graph-not-json': comfyui.error(
    'M404',
    'The front end of ComfyUI cannot parse a graph that is no JSON; NaN and Infinity are none.',
  ),
  'no-workflow': comfyui.warning(
    'M405',
    'The front end of ComfyUI finds neither a workflow nor a prompt graph.',
    'Write it anew with `lineage tag --prompt GRAPH.json`.',
  ),
  'size-rounded': comfyui.note(
    'M406',
    'The front end of ComfyUI rounds the size of an A1111 text up to multiples of 64.',
    NOTHING,
  ),
  'seed-rounded-comfyui': comfyui.note(
    'M407',
    'The front end of ComfyUI keeps the seed of an A1111 text as a JavaScript number and rounds long ones.',
    SHORTER_SEED,
  ),
  'schedule-ignored': comfyui.note('M408', 'The front end of ComfyUI ignores Schedule type.', NOTHING),
  'latin1-text': comfyui.warning(
    'M409',
    'The front end of ComfyUI decodes tEXt as UTF-8, not as Latin-1.',
    NO_LATIN1,
  ),
  'sampler-unknown': comfyui.note(
    'M410',
    "The front end of ComfyUI makes an id of the sampler's name that no sampler has.",
    NOTHING,
  ),
  'compressed-text': comfyui.error(
    'M412',
    'The front end of ComfyUI and sd-metadata do not read compressed text chunks.',
  ),
  'differs-comfyui': comfyui.note(
    'M499',
    'The front end of ComfyUI shows something else than the file says.',
  ),

  'sd-metadata-format': sdMetadata.note('M501', 'sd-metadata opens PNG, JPEG and WebP only.', OTHER_FORMAT),
  'sd-metadata-comment': sdMetadata.warning(
    'M502',
    'sd-metadata reads no JPEG comments.',
    'Allow a larger EXIF budget, so that the text need not go into a comment.',
  ),
  'sd-metadata-no-text': sdMetadata.warning('M503', 'sd-metadata finds no parameters text and no graph.'),
  'sd-metadata-unknown-text': sdMetadata.warning(
    'M504',
    'sd-metadata takes a text for parameters only if it holds "Steps:", "Sampler:" or "Negative prompt:".',
  ),
  'negative-mark-in-prompt-sd-metadata': sdMetadata.warning(
    'M505',
    'sd-metadata splits at the first "Negative prompt:", wherever it stands.',
    REWORD,
  ),
  'steps-in-prompt-sd-metadata': sdMetadata.error(
    'M506',
    'sd-metadata takes the line of the first "Steps:" for the settings, also in a prompt.',
    REWORD,
  ),
  'model-hash-overridden': sdMetadata.note(
    'M507',
    'sd-metadata takes "Lora_0 Model hash" for a later "Model hash".',
    NOTHING,
  ),
  'seed-rounded-sd-metadata': sdMetadata.note(
    'M508',
    'sd-metadata keeps the seed as a JavaScript number and rounds long ones.',
    SHORTER_SEED,
  ),
  'value-dropped': sdMetadata.note(
    'M509',
    'sd-metadata drops a value if the next key holds anything but letters, digits and spaces.',
    NOTHING,
  ),
  'settings-too-long': sdMetadata.error(
    'M510',
    'sd-metadata parses no settings of more than 10,000 characters.',
    'Leave long keys of your own out.',
  ),
  'workflow-alone': sdMetadata.warning(
    'M511',
    'sd-metadata finds no prompts and settings in a workflow without a prompt graph.',
  ),
  'differs-sd-metadata': sdMetadata.note('M599', 'sd-metadata shows something else than the file says.'),

  'image-metahub-format': imageMetahub.note('M601', 'Image-MetaHub opens PNG and JPEG only.', OTHER_FORMAT),
  'image-metahub-no-comment': imageMetahub.warning(
    'M602',
    'Image-MetaHub reads a JPEG by its EXIF UserComment, and there is none.',
  ),
  'image-metahub-not-accepted': imageMetahub.warning(
    'M603',
    'Image-MetaHub takes the text of a JPEG only with "Version: ComfyUI", or with Steps, Sampler and Model hash together.',
  ),
  'image-metahub-no-data': imageMetahub.warning(
    'M604',
    'Image-MetaHub finds neither workflow, parameters nor prompt.',
  ),
  'negative-first-line': imageMetahub.note(
    'M605',
    'Image-MetaHub reads only the first line of a negative prompt.',
    'Write the negative prompt in one line if that reader matters.',
  ),
  'negative-mark-in-prompt-metahub': imageMetahub.warning(
    'M606',
    'Image-MetaHub splits at the first line that starts with "Negative prompt:".',
    REWORD,
  ),
  'utf16-as-utf8': imageMetahub.note(
    'M607',
    'Image-MetaHub drops the zero bytes of UTF-16, which only ASCII survives.',
    'Save as PNG if that reader matters.',
  ),
  'latin1-as-utf8': imageMetahub.warning(
    'M608',
    'Image-MetaHub decodes tEXt as UTF-8, not as Latin-1.',
    NO_LATIN1,
  ),
  'key-in-prompt': imageMetahub.note(
    'M609',
    'Image-MetaHub takes the first place where a key stands, also in a prompt.',
    REWORD,
  ),
  'distilled-cfg': imageMetahub.note(
    'M610',
    'Image-MetaHub shows Distilled CFG Scale in the place of CFG scale.',
    NOTHING,
  ),
  'seed-rounded-metahub': imageMetahub.note(
    'M611',
    'Image-MetaHub keeps the seed as a JavaScript number and rounds long ones.',
    SHORTER_SEED,
  ),
  'differs-image-metahub': imageMetahub.note(
    'M699',
    'Image-MetaHub shows something else than the file says.',
  ),
};
