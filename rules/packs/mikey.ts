import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Texts with wildcards, random choices and `%names%` of other nodes' inputs: what was drawn is known of a run
 * only. The processor that loads LoRAs and knows no wildcards is read as its text stands; the one that draws
 * them first is not, for a tag may be one of the choices.
 *
 * Left out: the samplers, whose settings are in their Python, and the nodes that read styles from files.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];

const LOADS_BY_TEXT: NodeRule = {
  role: 'patch',
  takes: { model: 'same', clip: 'same' },
  gives: [['model'], ['clip'], [], []],
};
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };
const SAVER: NodeRule = { role: 'saver', takes: { images: 'image' } };

export default defineRules({
  pack: 'mikey',
  source: 'https://github.com/bash-j/mikey_nodes/tree/a5aa9cf637c4aa83fb369230e1cd728f4f56a8de',
  nodes: {
    'Wildcard Processor': UNRESOLVED_TEXT,
    SearchAndReplace: UNRESOLVED_TEXT,
    OobaPrompt: UNRESOLVED_TEXT,
    WildcardOobaPrompt: UNRESOLVED_TEXT,
    LMStudioPrompt: UNRESOLVED_TEXT,
    TextPreserve: UNRESOLVED_TEXT,
    RemoveTextBetween: UNRESOLVED_TEXT,
    TextConcat: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [
            { input: 'text1', default: '' },
            { input: 'text2', default: '' },
            { input: 'text3', default: '' },
            { input: 'text4', default: '' },
            { input: 'text5', default: '' },
          ],
          separator: { input: 'delimiter' },
          skipEmpty: true,
        },
      ],
    },

    LoraSyntaxProcessor: {
      ...LOADS_BY_TEXT,
      reads: {
        LORA_MODEL_NAME: { tags: 'text', part: 'name', on: LOADED },
        LORA_STRENGTH_MODEL: { tags: 'text', part: 'model', on: 'model' },
        LORA_STRENGTH_CLIP: { tags: 'text', part: 'clip', on: 'clip' },
      },
    },
    WildcardAndLoraSyntaxProcessor: LOADS_BY_TEXT,

    'Checkpoint Loader Simple Mikey': {
      role: 'loader',
      gives: [[], [], [], ['ckpt_name'], []],
      takes: { ckpt_name: 'same' },
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },
    'Empty Latent Ratio Custom SDXL': {
      role: 'latent',
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
        BATCH_SIZE: { input: 'batch_size', on: PICTURE },
      },
    },
    // The sizes of the ratios are in a file of the pack and one of the user's.
    'Empty Latent Ratio Select SDXL': {
      role: 'latent',
      reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } },
    },
    'Seed String': { role: 'value', takes: { seed: 'same' }, gives: [['seed'], ['seed']] },

    'Save Image With Prompt Data': SAVER,
    'Save Images Mikey': SAVER,
    'Save Images No Display': SAVER,
    'Save Image If True': { role: 'saver', takes: { image: 'image' } },
  },
});
