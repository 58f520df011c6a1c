import { a1111 } from './a1111.ts';
import { civitai } from './civitai.ts';
import { comfyui } from './comfyui.ts';
import { imageMetahub } from './image-metahub.ts';
import type { Reader } from './reader.ts';
import { sdMetadata } from './sd-metadata.ts';
import { sdPromptReader } from './sd-prompt-reader.ts';

/** Every restated reader, in the order receipts list them. */
export const READERS: readonly Reader[] = [civitai, a1111, sdPromptReader, comfyui, sdMetadata, imageMetahub];
