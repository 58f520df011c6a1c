/** The property of a node that says what it holds; the save node looks for it in the workflow. */
export const HINT_PROPERTY = 'lineage.hint';

type Hint = {
  readonly value: string;
  readonly label: string;
  /** Which nodes may have it, by what one of their widgets is called and holds. */
  readonly fits: (name: string, value: unknown) => boolean;
};

/** A text that somebody wrote, no word of a menu. */
const isWritten = (name: string, value: unknown): boolean =>
  typeof value === 'string' && /text|prompt|string|value|^(positive|negative)/i.test(name);
const isModelFile = (name: string, value: unknown): boolean =>
  typeof value === 'string' &&
  /\.(safetensors|sft|ckpt|gguf|pt|pth|bin|onnx)$/i.test(value) &&
  !/vae|lora|clip|control|upscale/i.test(name);
const isSeed = (name: string, value: unknown): boolean =>
  typeof value === 'number' && /seed|value/i.test(name);

export const HINTS: readonly Hint[] = [
  { value: 'positive', label: 'the prompt', fits: isWritten },
  { value: 'negative', label: 'the negative prompt', fits: isWritten },
  { value: 'model', label: 'the model', fits: isModelFile },
  { value: 'seed', label: 'the seed', fits: isSeed },
];
