import { each, isType } from './answers.ts';
import { endless, saved } from './graphs.ts';
import type { Stage } from './stage.ts';

/** The queue with one that runs and some that wait, and the jobs routes over it. */
export async function playQueueAndJobs(stage: Stage): Promise<void> {
  await stage.http('GET /queue: empty', 'GET', '/queue');
  await stage.http('GET /prompt: empty', 'GET', '/prompt');
  const listener = await stage.listen('queue');
  const queue = async (prompt: unknown, more: object = {}): Promise<string> => {
    const prompt_id = stage.nextPromptId();
    await stage.do('POST', '/prompt', { json: { prompt, prompt_id, client_id: 'queue', ...more } });
    return prompt_id;
  };
  const running = await queue(endless(40));
  await listener.until((message) => isType(message, 'progress'));
  const waiting = await queue(saved(41));
  const first = await queue(saved(42), { front: true });

  await stage.http('GET /queue: one runs and two wait', 'GET', '/queue');
  await stage.http('GET /prompt: one runs and two wait', 'GET', '/prompt');
  await stage.http(
    'GET /api/jobs: what is in the queue',
    'GET',
    '/api/jobs?status=in_progress,pending&sort_order=asc',
  );
  await stage.http('GET /api/jobs/{id}: runs', 'GET', `/api/jobs/${running}`);
  await stage.http('GET /api/jobs/{id}: waits', 'GET', `/api/jobs/${waiting}`);
  await stage.http('GET /history/{id}: waits', 'GET', `/history/${waiting}`);
  await stage.http('POST /queue: one away', 'POST', '/queue', {
    json: { delete: [waiting, running, 'unknown'] },
  });
  await stage.http('GET /queue: one away', 'GET', '/queue');
  await stage.http('POST /queue: all away', 'POST', '/queue', { json: { clear: true } });
  await stage.http('GET /queue: all away', 'GET', '/queue');
  await stage.http('GET /api/jobs/{id}: taken away', 'GET', `/api/jobs/${first}`);
  listener.take();
  await stage.http('POST /interrupt: whatever runs', 'POST', '/interrupt');
  await listener.untilDone(running);
  await stage.http('POST /queue: no body', 'POST', '/queue');
  await stage.http('POST /queue: nothing asked', 'POST', '/queue', { json: {} });
  await stage.http('POST /queue: a word for a list', 'POST', '/queue', { json: { delete: 'abc' } });

  await listener.untilDone(await queue(saved(42)));
  const free = { unload_models: true, free_memory: true };
  await stage.http('POST /free: both', 'POST', '/free', { json: free });
  await stage.http('POST /free: neither', 'POST', '/free', { json: {} });
  await stage.http('POST /free: no body', 'POST', '/free');
  // Its caches are empty now: the same graph runs again.
  listener.take();
  const again = await queue(saved(42));
  await listener.untilDone(again);
  stage.heard('ws: the first run after memory was freed', listener);
  await listener.untilDone(await queue(saved(42)));
  stage.heard('ws: the second run after memory was freed', listener);

  const failed = await queue({
    '1': { class_type: 'SaveImage', inputs: { images: 'x', filename_prefix: 'x' } },
  });
  await listener.untilDone(failed);
  await listener.close();
  await stage.http('GET /api/jobs/{id}: failed', 'GET', `/api/jobs/${failed}`);
  await stage.http('GET /history/{id}: failed', 'GET', `/history/${failed}`);
  await stage.http('GET /api/jobs/{id}: done', 'GET', `/api/jobs/${again}`);
  await stage.http('GET /api/jobs/{id}: unknown', 'GET', '/api/jobs/unknown');
  await stage.http('GET /api/jobs: failed ones', 'GET', '/api/jobs?status=failed&limit=1', { reduce: each });
  await stage.http(
    'GET /api/jobs: as the front end asks',
    'GET',
    '/api/jobs?status=completed,failed,cancelled&limit=1&offset=0',
  );
  const QUERIES: Readonly<Record<string, string>> = {
    'one done': 'status=completed&limit=1',
    'far on': 'limit=2&offset=100000',
    'an offset below zero': 'limit=1&offset=-1&status=completed',
    'a bad status': 'status=done',
    'a bad order': 'sort_order=up',
    'a bad sort': 'sort_by=name',
    'no limit': 'limit=0',
    'a word for a limit': 'limit=x',
    'a word for an offset': 'offset=x',
  };
  for (const [name, query] of Object.entries(QUERIES)) {
    await stage.http(`GET /api/jobs: ${name}`, 'GET', `/api/jobs?${query}`);
  }
  // Which took longest is a matter of chance.
  const longest = '/api/jobs?limit=1&sort_by=execution_duration&status=completed';
  await stage.http('GET /api/jobs: longest first', 'GET', longest, { reduce: () => 'JSON' });
  await stage.http('POST /api/jobs/{id}/cancel: of one that is done', 'POST', `/api/jobs/${again}/cancel`);
  await stage.http('POST /api/jobs/cancel: of one that is done', 'POST', '/api/jobs/cancel', {
    json: { job_ids: [again] },
  });
}
