import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * LoRA Manager. What the nodes load stands in the list `loras`, not in the text beside it; a LoRA that is switched off
 * (`active`) is not loaded, and without a strength for the text encoder the model's serves both.
 *
 * Trigger words come out of a file beside each LoRA, and wildcards are drawn: only the run knows them. A prompt keeps
 * the words that are known.
 *
 * Left out: the nodes that draw a LoRA or go through a list of them (Lora Randomizer, Lora Cycler, Lora Pool, and the
 * random loaders), hooks (Create Hook LoRA), and values that are typed in by hand (Metadata Overwrite).
 */

const LOADED: readonly Stream[] = ['model', 'clip'];

/** The list of LoRAs; `strength` is the model's. */
const LORAS = {
  LORA_MODEL_NAME: { list: 'loras', at: 'name', when: 'active', on: LOADED },
  LORA_STRENGTH_MODEL: { list: 'loras', at: 'strength', when: 'active', on: 'model' },
  LORA_STRENGTH_CLIP: [
    { list: 'loras', at: 'clipStrength', when: 'active', on: 'clip' },
    { list: 'loras', at: 'strength', when: 'active', on: 'clip' },
  ],
} satisfies NodeRule['reads'];
const LORA_TAGS = {
  LORA_MODEL_NAME: { tags: 'lora_syntax', part: 'name', on: LOADED },
  LORA_STRENGTH_MODEL: { tags: 'lora_syntax', part: 'model', on: 'model' },
  LORA_STRENGTH_CLIP: { tags: 'lora_syntax', part: 'clip', on: 'clip' },
} satisfies NodeRule['reads'];

/** Wan's LoRAs are loaded into a model only. */
const WAN_LORAS = {
  LORA_MODEL_NAME: { list: 'loras', at: 'name', when: 'active', on: 'model' },
  LORA_STRENGTH_MODEL: { list: 'loras', at: 'strength', when: 'active', on: 'model' },
} satisfies NodeRule['reads'];

const LOADER = {
  role: 'patch',
  takes: { model: 'same', clip: 'same', lora_stack: 'same' },
  gives: [['model', 'lora_stack'], ['clip', 'lora_stack'], [], []],
} as const;

/** Trigger words stand before the text; more inputs appear as they are linked. */
const WORDS = [
  'trigger_words1',
  'trigger_words2',
  'trigger_words3',
  'trigger_words4',
  'trigger_words5',
  'trigger_words6',
  'text',
] as const;
const PROMPT: NonNullable<NodeRule['computes']>[number] = {
  op: 'join',
  parts: WORDS.map((input) => ({ input, default: '' })),
  separator: { value: ', ' },
  skipEmpty: true,
};

export default defineRules({
  pack: 'lora-manager',
  source: 'https://github.com/willmiao/ComfyUI-Lora-Manager/tree/25e72b43cef18c64d6dd235da307e2e51d1c09d2',
  nodes: {
    // LoRAs.
    'Lora Loader (LoraManager)': { ...LOADER, reads: LORAS },
    'LoRA Text Loader (LoraManager)': { ...LOADER, reads: LORA_TAGS },
    'Lora Stacker (LoraManager)': {
      role: 'patch',
      takes: { lora_stack: 'same' },
      gives: [['lora_stack'], [], []],
      reads: LORAS,
    },
    'Lora Stack Combiner (LoraManager)': {
      role: 'combiner',
      takes: {
        lora_stack_a: 'same',
        lora_stack_b: 'same',
        lora_stack1: 'same',
        lora_stack2: 'same',
        lora_stack3: 'same',
        lora_stack4: 'same',
        lora_stack5: 'same',
        lora_stack6: 'same',
        lora_stack7: 'same',
        lora_stack8: 'same',
      },
    },
    'WanVideo Lora Select (LoraManager)': {
      role: 'patch',
      takes: { prev_lora: 'same' },
      gives: [['prev_lora'], [], []],
      reads: WAN_LORAS,
    },
    'WanVideo Lora Select From Text (LoraManager)': {
      role: 'patch',
      takes: { prev_lora: 'same' },
      gives: [['prev_lora'], [], []],
      reads: {
        LORA_MODEL_NAME: { tags: 'lora_syntax', part: 'name', on: 'model' },
        LORA_STRENGTH_MODEL: { tags: 'lora_syntax', part: 'model', on: 'model' },
      },
    },
    'LoRA Syntax → Path (LoraManager)': { role: 'string' },

    // Loaders.
    'Checkpoint Loader (LoraManager)': {
      role: 'loader',
      gives: [[], [], []],
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },
    'Unet Loader (LoraManager)': {
      role: 'loader',
      reads: {
        MODEL_NAME: { input: 'unet_name', on: 'model' },
        WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
      },
    },

    // Prompts. What the run made of wildcards comes out of slot 1.
    'Prompt (LoraManager)': {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], []],
      computes: [PROMPT, PROMPT],
      reads: {
        POSITIVE_PROMPT: [
          { output: 1, on: 'positive' },
          { inputs: WORDS, join: ', ', on: 'positive' },
        ],
        NEGATIVE_PROMPT: [
          { output: 1, on: 'negative' },
          { inputs: WORDS, join: ', ', on: 'negative' },
        ],
      },
    },
    'Text (LoraManager)': { role: 'string', takes: { text: 'value' }, gives: [['text']] },
    'TriggerWord Toggle (LoraManager)': { role: 'string' },

    // Out.
    'Save Image (LoraManager)': { role: 'saver', takes: { images: 'image' } },
    'Debug Metadata (LoraManager)': { role: 'preview', takes: { images: 'image' } },
    'Lora Info (LoraManager)': { role: 'preview' },
  },
});
