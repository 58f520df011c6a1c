import type { Job } from '../job.ts';
import type { RunningPrompt } from './dynamic-prompt.ts';
import type { Filling } from './node-shape.ts';

/** What a hidden input of a node holds while it runs; undefined for secrets, which a job never carries. */
export function fillHidden(filling: Filling, id: string, job: Job, prompt: RunningPrompt): unknown {
  switch (filling) {
    case 'PROMPT':
      return prompt.original;
    case 'DYNPROMPT':
      return prompt;
    case 'EXTRA_PNGINFO':
      return job.extraData['extra_pnginfo'];
    case 'UNIQUE_ID':
      return id;
    case 'AUTH_TOKEN_COMFY_ORG':
    case 'API_KEY_COMFY_ORG':
      return undefined;
  }
}
