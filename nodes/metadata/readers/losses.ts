/**
 * What readers get wrong or do not find, and the sentence that says so. A loss travels as its id and its facts; the
 * sentence is for people alone.
 */

/**
 * Losses whose sentence is always the same, by id. A loss of one reader's own has the name of the lint rule about it, and
 * its sentence is that rule's: it begins with the reader's name, "it" or "the front end".
 */
const SENTENCES = {
  'civitai-no-data': 'it finds neither a parameters text nor a prompt graph',
  'hashes-not-texts': 'Civitai rejects the whole record where Hashes is not a JSON object of texts',
  'resources-not-a-list': 'Civitai rejects the whole record where Civitai resources is not a JSON list',
  'civitai-metadata-not-an-object':
    'Civitai rejects the whole record where Civitai metadata is not a JSON object',
  'sampler-quoted': 'Civitai rejects the whole record where the sampler is quoted',
  'hash-not-a-text': 'Civitai rejects the whole record where a hash is not a text',
  'lora-weight-not-a-number':
    'Civitai rejects the whole record where the weight in a LoRA tag is not a number',
  'graph-not-looked-at':
    'Civitai takes the first kind of data it knows: with a parameters text it never looks at the graph',
  'negative-mark-in-prompt-civitai':
    'Civitai splits the text wherever "Negative prompt:" stands, also inside a prompt',
  'template-line': 'Civitai removes lines that start with "Template: " and what follows them',
  'steps-in-prompt-civitai':
    'Civitai takes the first line that starts with "Steps: " for the settings, also inside a prompt',
  'blank-lines-dropped': 'Civitai drops blank lines, so paragraphs of a prompt run together',
  'seed-rounded-civitai': 'Civitai keeps the seed as a JavaScript number, exact only up to 9007199254740992',
  'lora-tag-invisible':
    'Civitai knows a tag by a name of letters, digits, _ . - and one weight of digits, without a sign',
  'lora-weight-unknown': 'Civitai takes 1.0 where no <lora:name:weight> tag says otherwise',
  'model-hash-missing': 'Civitai finds a model by its hash, and there is no Model hash',
  'key-lost-civitai':
    'Civitai reserves some names, ends the line at "Resources: " and takes a colon in a value for a key',

  'a1111-no-text': 'it reads only a parameters text, and finds none',
  'negative-mark-in-prompt-a1111':
    'A1111 starts the negative prompt at the first line that begins with "Negative prompt:"',
  'line-ends-stripped': 'A1111 strips the spaces at both ends of every line',
  'utf16-order': 'A1111 reads a "UNICODE" comment as big-endian UTF-16 and takes a byte order mark for text',
  'key-lost-a1111': 'A1111 knows keys of letters, digits, spaces, - and / and values that are not empty',

  'sd-prompt-reader-no-text': 'it finds no parameters text',
  'jpeg-comment': 'it takes any JPEG comment for Fooocus data and reads nothing else then',
  'rgba-webp': 'it looks for hidden NovelAI data in pictures with alpha and never at their EXIF',
  'no-user-comment': 'it reads JPEG and WebP by their EXIF UserComment, and there is none',
  'unknown-character-code': 'it needs one of the character codes of EXIF in front of the UserComment',
  'not-a-parameters-text': 'it finds no parameters text in the UserComment',
  'odd-comment': 'it tries every comment as UTF-16 first and fails on an odd number of bytes',
  'half-surrogates':
    'it tries every comment as little-endian UTF-16 first and fails where that makes half a surrogate pair',
  'size-missing': 'it shows 0x0 without a Size',
  'negative-mark-in-prompt-sdpr':
    'sd-prompt-reader splits at the first line that starts with "Negative prompt:"',
  'steps-in-prompt-sdpr':
    'sd-prompt-reader takes the first line that starts with "Steps:" for the settings, also inside a prompt',
  'empty-first-line':
    'sd-prompt-reader looks for "Negative prompt:" behind a line break; a text that starts with it is cut wrongly',
  'sd-prompt-reader-format': 'it knows PNG, JPEG and WebP only',

  'jpeg-not-opened': 'the front end does not open JPEG files without an extension',
  'infotext-not-importable':
    'the front end imports an A1111 text only with a "Negative prompt:" line and a "Steps:" line, each behind a line break',
  'no-workflow': 'the front end finds neither a workflow nor a prompt graph',
  'size-rounded': 'the front end rounds the size of an A1111 text up to multiples of 64',
  'seed-rounded-comfyui':
    'the front end keeps the seed of an A1111 text as a JavaScript number, exact only up to 9007199254740992',
  'schedule-ignored':
    'the front end ignores Schedule type and knows only "Karras" at the end of a sampler name',
  'latin1-text': 'the front end decodes tEXt as UTF-8, not as Latin-1',

  'sd-metadata-format': 'it knows PNG, JPEG and WebP only',
  'sd-metadata-comment': 'it does not read text in a JPEG comment',
  'sd-metadata-no-text': 'it finds no parameters text and no graph',
  'sd-metadata-unknown-text':
    'it takes a text for parameters only if it holds "Steps:", "Sampler:" or "Negative prompt:"',
  'negative-mark-in-prompt-sd-metadata':
    'sd-metadata splits at the first "Negative prompt:", wherever it stands',
  'steps-in-prompt-sd-metadata':
    'sd-metadata takes the line of the first "Steps:" for the settings, also inside a prompt',
  'model-hash-overridden':
    'sd-metadata looks for keys anywhere, so "Lora_0 Model hash" counts as a later "Model hash" and wins',
  'seed-rounded-sd-metadata':
    'sd-metadata keeps the seed as a JavaScript number, exact only up to 9007199254740992',
  'value-dropped':
    'sd-metadata drops a value if the next key holds anything but letters, digits and spaces, as "Lora_0 …" does',
  'workflow-alone': 'it finds no facts in a workflow without a prompt graph',

  'image-metahub-format': 'it opens PNG and JPEG only',
  'image-metahub-no-comment': 'it reads a JPEG by its EXIF UserComment, and there is none',
  'image-metahub-not-accepted':
    'it takes the text of a JPEG only with "Version: ComfyUI", or with Steps, Sampler and Model hash together',
  'image-metahub-no-data': 'it finds neither workflow, parameters nor prompt',
  'negative-first-line': 'Image-MetaHub reads only the first line of a negative prompt',
  'negative-mark-in-prompt-metahub':
    'Image-MetaHub splits at the first line that starts with "Negative prompt:"',
  'utf16-as-utf8':
    'Image-MetaHub drops the zero bytes of UTF-16 and reads the rest as UTF-8, which only ASCII survives',
  'latin1-as-utf8': 'Image-MetaHub decodes tEXt as UTF-8, not as Latin-1',
  'key-in-prompt': 'Image-MetaHub takes the first place where a key stands, also inside a prompt',
  'distilled-cfg': 'Image-MetaHub shows Distilled CFG Scale in place of CFG scale where both are written',
  'seed-rounded-metahub':
    'Image-MetaHub keeps the seed as a JavaScript number, exact only up to 9007199254740992',
} as const;

/** What differs in any reader. */
const MISMATCHES = {
  'left-out': 'the budget left it out of the file, or cut it',
  'guard-shown':
    'a line that starts like a settings line was written with a space before it, which shows here',
  'not-found': 'it is not found',
} as const;

const PLAIN = { ...SENTENCES, ...MISMATCHES };

/** Keys of the details line are lost. */
export type KeyLossId = 'key-lost-civitai' | 'key-lost-a1111';

/** A loss of one reader's own whose sentence needs no facts. */
export type SentenceId = keyof typeof SENTENCES;

/** A loss without facts. */
export type PlainLossId = Exclude<keyof typeof PLAIN, KeyLossId>;

/** Why something is lost. */
export type Reason =
  | { readonly id: PlainLossId }
  | { readonly id: KeyLossId; readonly keys: readonly string[] }
  // Whether "Steps: " stands inside a line at least.
  | { readonly id: 'steps-missing'; readonly inLine: boolean }
  | { readonly id: 'number-expected'; readonly key: string; readonly got: string }
  | { readonly id: 'too-few-settings'; readonly least: number }
  | { readonly id: 'model-tag'; readonly isJson: boolean }
  | { readonly id: 'size-malformed'; readonly size: string }
  | { readonly id: 'avif-brand'; readonly brand: string }
  // The graph that is broken, where the loss itself is of everything.
  | { readonly id: 'graph-not-json'; readonly graph?: string }
  | { readonly id: 'sampler-unknown'; readonly sampler: string }
  | { readonly id: 'settings-too-long'; readonly mostChars: number }
  | { readonly id: 'shown-instead'; readonly shown: string };

export type LossId = Reason['id'];

/** What any reader may have, known by comparing what it shows with what was meant. */
export type MismatchId = keyof typeof MISMATCHES | 'shown-instead';

/** One thing that a reader gets wrong or not at all, and the rule of that reader that makes it so. */
export type Loss = Reason & { readonly what: string; readonly why: string };

/** A loss with its sentence. */
export function lossOf(what: string, reason: Reason): Loss {
  return { ...reason, what, why: sentenceOf(reason) };
}

/**
 * The sentence of a loss where no reader's name stands beside it, or undefined where it needs facts.
 *
 * @param reader what it begins with in place of "it" and "the front end"
 */
export function tellAlone(id: string, reader: string): string | undefined {
  return hasSentence(id) ? SENTENCES[id].replace(/^(it|the front end)\b/, reader) : undefined;
}

function hasSentence(id: string): id is SentenceId {
  return Object.hasOwn(SENTENCES, id);
}

function sentenceOf(reason: Reason): string {
  switch (reason.id) {
    case 'steps-missing':
      return reason.inLine ? 'no line starts with "Steps: "' : 'the text holds no "Steps: "';
    case 'number-expected':
      return `${reason.key} is ${reason.got}, not a number, and Civitai rejects the whole record`;
    case 'too-few-settings':
      return `the last line holds fewer than ${reason.least} "key: value" pairs and counts as prompt`;
    case 'model-tag':
      return reason.isJson
        ? 'the EXIF Model tag is taken for the data of another program'
        : 'it takes the EXIF Model tag for JSON and crashes on anything else';
    case 'size-malformed':
      return `it needs Size as WxH, and got ${JSON.stringify(reason.size)}`;
    case 'avif-brand':
      return `the front end needs the major brand "avif", and this is "${reason.brand}"`;
    case 'graph-not-json':
      return `${reason.graph === undefined ? '' : `${reason.graph}: `}it is not JSON (NaN and Infinity are not either)`;
    case 'sampler-unknown':
      return `the front end makes "${reason.sampler}" of it, which no sampler is called`;
    case 'settings-too-long':
      return `it does not parse settings of more than ${reason.mostChars} characters`;
    case 'shown-instead':
      return `it shows ${JSON.stringify(reason.shown)} instead`;
    default:
      return PLAIN[reason.id];
  }
}
