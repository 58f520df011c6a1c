import { defineRules, type NodeRule, type Operation, type Stream } from '../define.ts';

/**
 * Custom Scripts by pythongosssss. The loaders with pictures send the name of a file as text; they once sent it as a
 * dictionary with the name under `content`. A preview's example text that a file brings stands in `prompt`.
 *
 * What Math Expression computes only the run knows, as are sizes that Constrain Image comes to. A Repeater that makes
 * new nodes is spread out before a prompt is sent.
 */

const LOADED: readonly Stream[] = ['model', 'clip'];
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };
const CONSTRAINED: NodeRule = { role: 'image', takes: { images: 'same' }, resizes: true };

const IS_PATTERN: Operation = {
  op: 'pick',
  by: {
    op: 'compare',
    a: { input: 'text_b', default: '' },
    b: { value: '/' },
    mode: { value: 'Starts With' },
  },
  cases: {
    true: {
      op: 'compare',
      a: { input: 'text_b', default: '' },
      b: { value: '/' },
      mode: { value: 'Ends With' },
    },
    false: { value: false },
  },
};
const APPENDED: Operation = {
  op: 'join',
  parts: [
    { input: 'text_a', default: '' },
    { input: 'text_b', default: '' },
    { input: 'text_c', default: '' },
  ],
  separator: {
    op: 'pick',
    by: { input: 'tidy_tags' },
    cases: { yes: { value: ', ' }, no: { value: '' } },
  },
  skipEmpty: true,
};
/** A text between slashes is a pattern. */
const REPLACED: Operation = {
  op: 'pick',
  by: IS_PATTERN,
  cases: {
    true: {
      op: 'regex-replace',
      text: { input: 'text_a', default: '' },
      find: {
        op: 'slice',
        text: { input: 'text_b' },
        start: { value: 1 },
        end: { value: -1 },
      },
      with: { input: 'text_c', default: '' },
    },
    false: {
      op: 'replace',
      text: { input: 'text_a', default: '' },
      find: { input: 'text_b', default: '' },
      with: { input: 'text_c', default: '' },
    },
  },
};
const RESULT: Operation = {
  op: 'pick',
  by: { input: 'action' },
  cases: { append: APPENDED, replace: REPLACED },
};
/** Double spaces, spaces before commas and double commas are mended, in this order. */
const TIDIED: Operation = {
  op: 'trim',
  text: {
    op: 'regex-replace',
    text: {
      op: 'replace',
      text: {
        op: 'regex-replace',
        text: RESULT,
        find: { value: '\\s{2,}' },
        with: { value: ' ' },
      },
      find: { value: ' ,' },
      with: { value: ',' },
    },
    find: { value: ',{2,}' },
    with: { value: ',' },
  },
};

export default defineRules({
  pack: 'pysssss',
  source:
    'https://github.com/pythongosssss/ComfyUI-Custom-Scripts/tree/609f3afaa74b2f88ef9ce8d939626065e3247469',
  nodes: {
    'LoraLoader|pysssss': {
      role: 'patch',
      takes: { model: 'same', clip: 'same', prompt: 'value' },
      gives: [['model'], ['clip'], ['prompt']],
      reads: {
        LORA_MODEL_NAME: [
          { entries: 'lora_name', key: 'content', on: LOADED },
          { input: 'lora_name', on: LOADED },
        ],
        LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
        LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
      },
    },
    'CheckpointLoader|pysssss': {
      role: 'loader',
      takes: { prompt: 'value' },
      gives: [[], [], [], ['prompt']],
      reads: {
        MODEL_NAME: [
          { entries: 'ckpt_name', key: 'content', on: 'model' },
          { input: 'ckpt_name', on: 'model' },
        ],
      },
    },
    'StringFunction|pysssss': {
      role: 'string',
      computes: [{ op: 'pick', by: { input: 'tidy_tags' }, cases: { yes: TIDIED, no: RESULT } }],
    },
    'ShowText|pysssss': { role: 'string', takes: { text: 'value' }, gives: [['text']] },
    'LoadText|pysssss': UNRESOLVED_TEXT,
    'SaveText|pysssss': UNRESOLVED_TEXT,
    'MathExpression|pysssss': { role: 'value', gives: [[], []] },
    'ReroutePrimitive|pysssss': { role: 'value', takes: { value: 'same' }, gives: [['value']] },
    'Repeater|pysssss': { role: 'passthrough', takes: { source: 'same' }, gives: [['source']] },
    'ConstrainImage|pysssss': CONSTRAINED,
    'ConstrainImageforVideo|pysssss': CONSTRAINED,
  },
});
