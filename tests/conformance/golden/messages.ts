import { isType, type Listener } from './answers.ts';
import { endless, type Graph, node, picture, saved } from './graphs.ts';
import type { Stage } from './stage.ts';

const SUPPORTS_PREVIEWS = { type: 'feature_flags', data: { supports_preview_metadata: true } };

/** What sockets hear (reference 2.4): the types, order and keys of messages for every way a prompt can go. */
export async function playMessages(stage: Stage): Promise<void> {
  const listener = await stage.listen('me');
  stage.heard('ws: connected', listener);
  const queue = async (prompt: Graph, more: Graph = {}): Promise<string> => {
    const prompt_id = stage.nextPromptId();
    await stage.do('POST', '/prompt', { json: { prompt, prompt_id, client_id: 'me', ...more } });
    return prompt_id;
  };
  const play = async (name: string, prompt: Graph): Promise<string> => {
    const id = await queue(prompt);
    await listener.untilDone(id);
    stage.heard(`ws: ${name}`, listener);
    return id;
  };

  await play('one output', saved(10));
  await play('all cached', saved(10));
  await play('partly cached', {
    '1': picture(10),
    '2': node('ImageInvert', { image: ['1', 0] }),
    '3': node('SaveImage', { images: ['2', 0], filename_prefix: 'golden' }),
  });
  await play('a list of pictures', {
    '1': node('EmptyImage', { width: 8, height: 8, batch_size: 2, color: 11 }),
    '2': node('RebatchImages', { images: ['1', 0], batch_size: 1 }),
    '3': node('SaveImage', { images: ['2', 0], filename_prefix: 'golden' }),
  });
  await play('an id of a subgraph', {
    '57:8': picture(12),
    '57:9': node('PreviewImage', { images: ['57:8', 0] }),
  });
  await play('an expansion', {
    '1': node('TestMixedExpansionReturns', { input1: 0.5 }),
    '2': node('SaveImage', { images: ['1', 0], filename_prefix: 'golden' }),
  });
  await play('an error in a node', {
    '1': picture(13),
    '2': node('TestSyncError', { value: ['1', 0] }),
    '3': node('PreviewImage', { images: ['2', 0] }),
  });
  await play('an error in an async node', {
    '1': picture(13),
    '2': node('TestAsyncError', { value: ['1', 0], error_after: 0.2 }),
    '3': node('PreviewImage', { images: ['2', 0] }),
  });
  const cycle = await play('an expansion that is a cycle', {
    '1': picture(16),
    '2': node('TestDynamicDependencyCycle', { input1: ['1', 0], input2: ['1', 0] }),
    '3': node('PreviewImage', { images: ['2', 0] }),
  });
  await stage.http('GET /history/{id}: an expansion that is a cycle', 'GET', `/history/${cycle}`);
  await play('a word where a picture should be', {
    '1': node('SaveImage', { images: 'word', filename_prefix: 'golden' }),
  });
  await play('a file name that leads out', saved(10, '../../golden'));
  for (const verbose of [true, false]) {
    await play(verbose ? 'a blocker that speaks' : 'a silent blocker', {
      '1': picture(14),
      '2': node('TestExecutionBlocker', { input: ['1', 0], block: true, verbose }),
      '3': node('PreviewImage', { images: ['2', 0] }),
    });
  }
  await play('a preview', { '1': picture(15), '2': node('GoldenPreview', { images: ['1', 0] }) });

  await playInterrupt(stage, listener, queue);
  await listener.close();
  await playOtherSockets(stage);
}

async function playInterrupt(
  stage: Stage,
  listener: Listener,
  queue: (prompt: Graph) => Promise<string>,
): Promise<void> {
  const id = await queue(endless(20));
  await listener.until((message) => isType(message, 'progress'));
  const again = await stage.listen('me');
  await again.until((message) => isType(message, 'executing'));
  stage.heard('ws: connected again while a node runs', again);
  await stage.http('POST /interrupt: of another', 'POST', '/interrupt', { json: { prompt_id: 'another' } });
  await stage.http('GET /queue: one runs', 'GET', '/queue');
  await again.until((message) => isType(message, 'progress'));
  await stage.http('POST /interrupt: of this', 'POST', '/interrupt', { json: { prompt_id: id } });
  await again.untilDone(id);
  stage.heard('ws: interrupted', again);
  await stage.http('GET /history/{id}: interrupted', 'GET', `/history/${id}`);
  await stage.http('GET /api/jobs/{id}: interrupted', 'GET', `/api/jobs/${id}`);
  await stage.http('POST /interrupt: nothing runs', 'POST', '/interrupt');
  const after = await queue(saved(21));
  await again.untilDone(after);
  stage.heard('ws: after an interrupt between prompts', again);
  await again.close();
}

async function playOtherSockets(stage: Stage): Promise<void> {
  const queueEmpty = (message: unknown): boolean => JSON.stringify(message).includes('"queue_remaining":0');
  const listen = async (name: string, first: readonly string[], wait: string): Promise<void> => {
    const listener = await stage.listen('flags');
    listener.take();
    for (const text of first) listener.say(text);
    if (wait !== '') await listener.until((message) => isType(message, wait));
    const prompt_id = stage.nextPromptId();
    const prompt = { '1': picture(30 + name.length), '2': node('GoldenPreview', { images: ['1', 0] }) };
    await stage.do('POST', '/prompt', { json: { prompt, prompt_id, client_id: 'flags' } });
    await listener.untilDone(prompt_id);
    stage.heard(`ws: ${name}`, listener);
    await listener.close();
  };
  const flags = JSON.stringify(SUPPORTS_PREVIEWS);
  await listen('previews with metadata', [flags], 'feature_flags');
  await listen('flags that come second', ['{"type":"hello"}', flags], '');
  await listen('flags after no JSON', ['{', flags], 'feature_flags');

  const stranger = await stage.listen('stranger');
  stranger.take();
  await stage.do('POST', '/prompt', { json: { prompt: saved(31), prompt_id: stage.nextPromptId() } });
  await stranger.until((message) => queueEmpty(message));
  stage.heard('ws: a prompt without a client', stranger);
  const other = await stage.listen('other');
  const prompt_id = stage.nextPromptId();
  await stage.do('POST', '/prompt', { json: { prompt: saved(32), prompt_id, client_id: 'other' } });
  await other.untilDone(prompt_id);
  await stranger.until((message) => queueEmpty(message));
  stage.heard("ws: another client's prompt", stranger);
  await other.close();
  await stranger.close();

  const nameless = await stage.listen();
  stage.heard('ws: connected without an id', nameless);
  await nameless.close();
}
