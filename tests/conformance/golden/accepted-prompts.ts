import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import { node, picture, saved } from './graphs.ts';
import type { Stage } from './stage.ts';

/** Prompts that are accepted in ways of their own, each run to its end; and what history keeps of them. */
export async function playAcceptedPrompts(stage: Stage): Promise<void> {
  const listener = await stage.listen('accepted');
  const run = async (name: string, json: Readonly<Record<string, unknown>>): Promise<string> => {
    const prompt_id = stage.nextPromptId();
    await stage.http(`POST /prompt: ${name}`, 'POST', '/prompt', {
      json: { client_id: 'accepted', prompt_id, ...json },
    });
    await listener.untilDone(String(json['prompt_id'] ?? prompt_id));
    listener.take();
    return prompt_id;
  };

  await run('a good one', { prompt: saved(2) });
  await run('in front', { prompt: saved(2), front: true });
  await run('not in front', { prompt: saved(2), front: false });
  await run('with a number', { prompt: saved(2), number: 2.5 });
  await run('with an id that is no UUID', { prompt: saved(2), prompt_id: 'my-own-id' });
  await run('with a number for an id', { prompt: saved(2), prompt_id: 5 });
  await run('with a target', {
    prompt: { ...saved(2), '3': node('PreviewImage', { images: ['1', 0] }) },
    partial_execution_targets: ['3'],
  });

  const half = await run('one output good and one bad', {
    prompt: { ...saved(2), '3': node('PreviewImage', { images: ['9', 0] }) },
  });
  await stage.http('GET /history/{id}: one output good and one bad', 'GET', `/history/${half}`);

  const coerced = await run('values that are coerced', {
    prompt: {
      '1': node('EmptyImage', {
        width: '8',
        height: 8.9,
        batch_size: true,
        color: { __value__: 3 },
        more: 'x',
      }),
      '2': node('ImageScaleBy', { image: ['1', 0], upscale_method: 'area', scale_by: 1 }),
      '3': node('ComfySwitchNode', { switch: 'false', on_true: ['2', 0], on_false: ['1', 0] }),
      '4': node('PrimitiveInt', { value: new ExactNumber('9007199254740993') }),
      '5': node('SaveImage', { images: ['3', 0], filename_prefix: 7 }),
    },
  });
  await stage.http('GET /history/{id}: values that are coerced', 'GET', `/history/${coerced}`);

  const secret = await run('with secrets and a workflow', {
    prompt: saved(2, 'secret'),
    extra_data: {
      extra_pnginfo: { workflow: { id: 'the-workflow', nodes: [] } },
      auth_token_comfy_org: 'sesame',
      api_key_comfy_org: 'sesame',
      mine: { kept: [1, 'two', null] },
    },
  });
  await stage.http('GET /history/{id}: with secrets and a workflow', 'GET', `/history/${secret}`);
  await stage.http('GET /api/jobs/{id}: with secrets and a workflow', 'GET', `/api/jobs/${secret}`);
  await stage.http('GET /api/jobs: of a workflow', 'GET', '/api/jobs?workflow_id=the-workflow');
  await stage.http('GET /history: the first', 'GET', '/history?max_items=1&offset=0');
  await stage.http('GET /history: the last two', 'GET', '/history?max_items=2');
  await stage.http('GET /history: from an offset', 'GET', '/history?max_items=1&offset=3');
  await stage.http('GET /history: a word for a number', 'GET', '/history?max_items=x');
  await stage.http('GET /history/{id}: unknown', 'GET', '/history/unknown');
  await stage.http('POST /history: one away', 'POST', '/history', {
    json: { delete: ['my-own-id', 'unknown'] },
  });
  await stage.http('GET /history/{id}: taken away', 'GET', '/history/my-own-id');
  await stage.http('POST /history: no JSON', 'POST', '/history', { body: '{' });
  await stage.http('POST /history: all away', 'POST', '/history', { json: { clear: true } });
  await stage.http('GET /history: nothing', 'GET', '/history');

  await stage.http('POST /prompt: without an id', 'POST', '/prompt', {
    json: {
      client_id: 'accepted',
      prompt: { '1': picture(3), '2': node('PreviewImage', { images: ['1', 0] }) },
    },
  });
  await listener.until((message) => JSON.stringify(message).includes('"node":null'));
  await listener.close();
}
