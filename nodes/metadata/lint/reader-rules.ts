import { type LossId, type MismatchId, type SentenceId, tellAlone } from '../readers/losses.ts';
import type { ReaderId } from '../readers/reader.ts';
import type { RuleText, Severity } from './lint-rule.ts';

const WRITE_ANEW = 'Write it anew with `lineage tag`.';
const NOTHING = 'Nothing is to be done.';
const REWORD = 'Reword the prompt there if that reader matters.';
const SHORTER_SEED = 'Use seeds up to 9007199254740992 if that reader matters.';
const OTHER_FORMAT = 'Save as one of these if that reader matters.';
const OTHER_KEY = 'Choose another name for the key.';
const NO_LATIN1 = 'Keep the workflow in the picture, or write the text as iTXt.';

/** How sentences call the readers. */
export const SPOKEN_NAMES: Readonly<Record<ReaderId, string>> = {
  civitai: 'Civitai',
  a1111: 'A1111',
  'sd-prompt-reader': 'sd-prompt-reader',
  comfyui: 'The front end of ComfyUI',
  'sd-metadata': 'sd-metadata',
  'image-metahub': 'Image-MetaHub',
};

/** A rule without its reason: that is the sentence of the loss of its name. */
type WordlessRule = Omit<RuleText, 'reason'> & { readonly reader: ReaderId };

/** Makes the rules of one reader. */
function rulesOf(reader: ReaderId) {
  const ofSeverity =
    (severity: Severity) =>
    (id: string, action = WRITE_ANEW): WordlessRule => ({ id, severity, reader, action });
  return { note: ofSeverity('note'), warning: ofSeverity('warning'), error: ofSeverity('error') };
}

/** A rule about what has no sentence of its own, or one that needs the facts of the picture. */
function saying(reason: string, rule: WordlessRule): WordlessRule & RuleText {
  return { ...rule, reason };
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

const TABLE = {
  'steps-missing': saying(
    'Civitai reads a text only if a line of it starts with "Steps: ".',
    civitai.error('M101'),
  ),
  'civitai-no-data': civitai.warning('M102'),
  'hashes-not-texts': civitai.error('M103'),
  'resources-not-a-list': civitai.error('M104'),
  'civitai-metadata-not-an-object': civitai.error('M105'),
  'number-expected': saying(
    'Civitai rejects the whole record where steps, CFG, seed or clip skip is no number.',
    civitai.error('M106', 'Leave the key out, or write it anew with `lineage tag`.'),
  ),
  'sampler-quoted': civitai.error('M107', 'Name the sampler without commas and colons.'),
  'hash-not-a-text': civitai.error('M108', 'Leave the hash out, or write it anew with `lineage tag`.'),
  'lora-weight-not-a-number': civitai.error('M109', 'Correct the tag in the prompt.'),
  'graph-not-looked-at': civitai.note(
    'M110',
    'Leave the parameters text out where the graph is to be shown.',
  ),
  'negative-mark-in-prompt-civitai': civitai.warning('M111', REWORD),
  'template-line': civitai.warning('M112', REWORD),
  'steps-in-prompt-civitai': civitai.error('M113', REWORD),
  'blank-lines-dropped': civitai.note('M114', NOTHING),
  'seed-rounded-civitai': civitai.warning('M115', SHORTER_SEED),
  'lora-tag-invisible': civitai.warning('M116', 'Rename the LoRA, or rely on its hash.'),
  'lora-weight-unknown': civitai.note(
    'M117',
    'Save with LoRA strengths in the prompt where the weights are to be shown.',
  ),
  'model-hash-missing': civitai.warning('M118', 'Write it anew with `lineage tag --models FOLDER`.'),
  'key-lost-civitai': civitai.warning('M119', OTHER_KEY),
  'value-with-colon': saying(
    'Civitai takes a colon in an unquoted value for the end of a key.',
    civitai.warning('M121', 'Write the value without a colon.'),
  ),
  'differs-civitai': saying('Civitai shows something else than the file says.', civitai.warning('M199')),

  'a1111-no-text': a1111.warning('M201'),
  'too-few-settings': saying(
    'A1111 takes the last line for settings only if it holds three "key: value" pairs.',
    a1111.error('M202'),
  ),
  'negative-mark-in-prompt-a1111': a1111.warning('M203', REWORD),
  'line-ends-stripped': a1111.note('M204', NOTHING),
  'utf16-order': a1111.error('M206'),
  'key-lost-a1111': a1111.note('M207', OTHER_KEY),
  'differs-a1111': saying('A1111 shows something else than the file says.', a1111.warning('M299')),

  'model-tag': saying(
    'sd-prompt-reader takes the EXIF Model tag for JSON and crashes on anything else.',
    sdPromptReader.error(
      'M301',
      'Write it anew with `lineage tag`, which keeps the graph in other tags; a camera keeps its name.',
    ),
  ),
  'sd-prompt-reader-no-text': sdPromptReader.warning('M302'),
  'jpeg-comment': sdPromptReader.error('M303', 'Take the comment out.'),
  'rgba-webp': sdPromptReader.error('M304', 'Save the picture without an alpha channel.'),
  'no-user-comment': sdPromptReader.warning('M305'),
  'unknown-character-code': sdPromptReader.error('M306'),
  'not-a-parameters-text': sdPromptReader.warning('M307'),
  'odd-comment': sdPromptReader.error(
    'M308',
    'Write it anew with `lineage tag`, which makes the number even.',
  ),
  'half-surrogates': sdPromptReader.error('M309', 'Leave the rare character out of the prompt.'),
  'size-malformed': saying('sd-prompt-reader needs Size as WxH.', sdPromptReader.error('M310')),
  'size-missing': sdPromptReader.warning('M311'),
  'negative-mark-in-prompt-sdpr': sdPromptReader.warning('M312', REWORD),
  'steps-in-prompt-sdpr': sdPromptReader.error('M313', REWORD),
  'empty-first-line': sdPromptReader.warning('M314', 'Leave an empty line for the empty prompt.'),
  'sd-prompt-reader-format': sdPromptReader.note('M315', OTHER_FORMAT),
  'differs-sd-prompt-reader': saying(
    'sd-prompt-reader shows something else than the file says.',
    sdPromptReader.warning('M399'),
  ),

  'jpeg-not-opened': comfyui.note(
    'M401',
    'Save as PNG, WebP or AVIF where the workflow is to be dropped on the canvas.',
  ),
  'avif-brand': saying(
    'The front end of ComfyUI opens an AVIF only with the major brand "avif".',
    comfyui.error('M402', 'Encode the picture anew.'),
  ),
  'infotext-not-importable': comfyui.warning('M403'),
  'graph-not-json': saying(
    'The front end of ComfyUI cannot parse a graph that is no JSON; NaN and Infinity are none.',
    comfyui.error('M404'),
  ),
  'no-workflow': comfyui.warning('M405', 'Write it anew with `lineage tag --prompt GRAPH.json`.'),
  'size-rounded': comfyui.note('M406', NOTHING),
  'seed-rounded-comfyui': comfyui.note('M407', SHORTER_SEED),
  'schedule-ignored': comfyui.note('M408', NOTHING),
  'latin1-text': comfyui.warning('M409', NO_LATIN1),
  'sampler-unknown': saying(
    "The front end of ComfyUI makes an id of the sampler's name that no sampler has.",
    comfyui.note('M410', NOTHING),
  ),
  'compressed-text': saying(
    'The front end of ComfyUI and sd-metadata do not read compressed text chunks.',
    comfyui.error('M412'),
  ),
  'differs-comfyui': saying(
    'The front end of ComfyUI shows something else than the file says.',
    comfyui.note('M499'),
  ),

  'sd-metadata-format': sdMetadata.note('M501', OTHER_FORMAT),
  'sd-metadata-comment': sdMetadata.warning(
    'M502',
    'Allow a larger EXIF budget, so that the text need not go into a comment.',
  ),
  'sd-metadata-no-text': sdMetadata.warning('M503'),
  'sd-metadata-unknown-text': sdMetadata.warning('M504'),
  'negative-mark-in-prompt-sd-metadata': sdMetadata.warning('M505', REWORD),
  'steps-in-prompt-sd-metadata': sdMetadata.error('M506', REWORD),
  'model-hash-overridden': sdMetadata.note('M507', NOTHING),
  'seed-rounded-sd-metadata': sdMetadata.note('M508', SHORTER_SEED),
  'value-dropped': sdMetadata.note('M509', NOTHING),
  'settings-too-long': saying(
    'sd-metadata parses no settings of more than 10,000 characters.',
    sdMetadata.error('M510', 'Leave long keys of your own out.'),
  ),
  'workflow-alone': sdMetadata.warning('M511'),
  'differs-sd-metadata': saying(
    'sd-metadata shows something else than the file says.',
    sdMetadata.note('M599'),
  ),

  'image-metahub-format': imageMetahub.note('M601', OTHER_FORMAT),
  'image-metahub-no-comment': imageMetahub.warning('M602'),
  'image-metahub-not-accepted': imageMetahub.warning('M603'),
  'image-metahub-no-data': imageMetahub.warning('M604'),
  'negative-first-line': imageMetahub.note(
    'M605',
    'Write the negative prompt in one line if that reader matters.',
  ),
  'negative-mark-in-prompt-metahub': imageMetahub.warning('M606', REWORD),
  'utf16-as-utf8': imageMetahub.note('M607', 'Save as PNG if that reader matters.'),
  'latin1-as-utf8': imageMetahub.warning('M608', NO_LATIN1),
  'key-in-prompt': imageMetahub.note('M609', REWORD),
  'distilled-cfg': imageMetahub.note('M610', NOTHING),
  'seed-rounded-metahub': imageMetahub.note('M611', SHORTER_SEED),
  'differs-image-metahub': saying(
    'Image-MetaHub shows something else than the file says.',
    imageMetahub.note('M699'),
  ),
} satisfies {
  readonly [Name in ReaderRuleName]: Name extends SentenceId ? WordlessRule : WordlessRule & RuleText;
};

/** What each reader loses, by name. */
export const READER_RULES = Object.fromEntries(
  Object.entries(TABLE).map(([name, rule]) => {
    const reason = tellAlone(name, SPOKEN_NAMES[rule.reader]);
    return [name, reason === undefined ? rule : { ...rule, reason: `${reason}.` }];
  }),
) as Readonly<Record<ReaderRuleName, RuleText>>;
