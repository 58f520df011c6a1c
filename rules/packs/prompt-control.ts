import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Prompts that change while a picture is sampled, and that load LoRAs. A text with schedules, `[a:b:0.5]`, is
 * written as it stands: all of it made the picture, each part in its steps. A LoRA in a schedule counts like
 * any other.
 *
 * What the words can't say: a tag in a comment (`# ...`) or in the branch of another tag filter loads
 * nothing, a macro (`DEF`) may hold tags, and without a strength there is no tag here.
 */

const LOADED: readonly Stream[] = ['model', 'clip'];

/** The tags are taken out before the text is encoded. */
const SCHEDULED: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip' },
  reads: {
    POSITIVE_PROMPT: { input: 'text', on: 'positive', normalise: 'without-lora-tags' },
    NEGATIVE_PROMPT: { input: 'text', on: 'negative', normalise: 'without-lora-tags' },
  },
};
const PLAIN: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip' },
  reads: {
    POSITIVE_PROMPT: { input: 'text', on: 'positive' },
    NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
  },
};
const LORAS = {
  LORA_MODEL_NAME: { tags: 'text', part: 'name', on: LOADED },
  LORA_STRENGTH_MODEL: { tags: 'text', part: 'model', on: 'model' },
  LORA_STRENGTH_CLIP: { tags: 'text', part: 'clip', on: 'clip' },
} satisfies NodeRule['reads'];
const CLIP_PATCH: NodeRule = { role: 'patch', takes: { clip: 'same' } };
/** Text that only running the node can make. */
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'prompt-control',
  source: 'https://github.com/asagi4/comfyui-prompt-control/tree/b24d93b778ef833422640b38857060952a71c101',
  nodes: {
    PCLazyTextEncode: SCHEDULED,
    PCLazyTextEncodeAdvanced: SCHEDULED,
    PCTextEncode: PLAIN,
    PCTextEncodeWithRange: PLAIN,
    PCLazyLoraLoader: {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: LORAS,
    },
    PCLazyLoraLoaderAdvanced: {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip'], []],
      reads: LORAS,
    },
    // Hooks hang on a text encoder or on a prompt.
    PCLoraHooksFromText: {
      role: 'patch',
      reads: {
        LORA_MODEL_NAME: { tags: 'text', part: 'name', on: ['clip', 'positive', 'negative'] },
        LORA_STRENGTH_MODEL: { tags: 'text', part: 'model', on: ['clip', 'positive', 'negative'] },
        LORA_STRENGTH_CLIP: { tags: 'text', part: 'clip', on: ['clip', 'positive', 'negative'] },
      },
    },
    PCAttentionCoupleBatchNegative: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same' },
      gives: [['positive'], ['negative']],
    },
    PCSetPCTextEncodeSettings: CLIP_PATCH,
    PCAddMaskToCLIP: CLIP_PATCH,
    PCAddMaskToCLIPMany: CLIP_PATCH,
    PCSetLogLevel: CLIP_PATCH,
    PCExtractScheduledPrompt: UNRESOLVED_TEXT,
    PCMacroExpand: UNRESOLVED_TEXT,
    PCNODELinkHelper: UNRESOLVED_TEXT,
  },
});
