import { playAcceptedPrompts } from './accepted-prompts.ts';
import type { Answers } from './answers.ts';
import { playCatalogue, playSecurity } from './catalogue.ts';
import { playFiles } from './files.ts';
import { playMessages } from './messages.ts';
import { playModels } from './models.ts';
import { playQueueAndJobs } from './queue-and-jobs.ts';
import { playRefusedPrompts } from './refused-prompts.ts';
import { Stage } from './stage.ts';
import { playUsers } from './users.ts';

/**
 * The fixed script of requests: every route and every error type of reference part 2, in one order, against a server
 * that has just started over an empty base directory (with `layModels` in its models folder), the execution suite's
 * testing pack and our own `golden/pack`.
 * @param classes the class types to describe.
 */
export async function playScript(url: string, classes: readonly string[]): Promise<Answers> {
  const stage = new Stage(url);
  await playRefusedPrompts(stage);
  await playAcceptedPrompts(stage);
  await playMessages(stage);
  await playQueueAndJobs(stage);
  await playFiles(stage);
  await playModels(stage);
  await playUsers(stage);
  await playCatalogue(stage, classes);
  await playSecurity(stage);
  return stage.answers;
}
