import { defineRules } from '../define.ts';

/**
 * Puts a prompt into a template of a JSON file. A side whose style is switched off passes its text unchanged;
 * any other text is known of a run only, for the files are the user's.
 */
export default defineRules({
  pack: 'sdxl-prompt-styler',
  source: 'https://github.com/twri/sdxl_prompt_styler/tree/51068179927f79dce14f38c6b1984390ab242be2',
  nodes: {
    SDXLPromptStyler: {
      role: 'string',
      computes: [
        { op: 'pick', by: { input: 'style_positive' }, cases: { false: { input: 'text_positive' } } },
        { op: 'pick', by: { input: 'style_negative' }, cases: { false: { input: 'text_negative' } } },
      ],
    },
    SDXLPromptStylerAdvanced: { role: 'string' },
  },
});
