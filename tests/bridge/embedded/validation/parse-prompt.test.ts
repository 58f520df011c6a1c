import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROMPT_LIMITS, parsePromptBody } from '../../../../bridge/embedded/validation/parse-prompt.ts';

// What ComfyUI does with odd bodies is in validate-prompt.test.ts, beside the recorded answers.
const body = (more: object = {}, prompt: unknown = {}): string => JSON.stringify({ prompt, ...more });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('a request', () => {
  test('keeps secrets apart, and says who hears of it', () => {
    const extra = { auth_token_comfy_org: 's', api_key_comfy_org: 't', extra_pnginfo: { workflow: {} } };
    const parsed = parsePromptBody(body({ extra_data: extra, client_id: 'me', prompt_id: 'p', front: true }));
    expect(parsed).toEqual({
      ok: true,
      prompt: {},
      clientId: 'me',
      promptId: 'p',
      front: true,
      extraData: { extra_pnginfo: { workflow: {} }, client_id: 'me' },
      secrets: { auth_token_comfy_org: 's', api_key_comfy_org: 't' },
      warnings: [],
    });
  });

  test('without anything has nothing', () => {
    expect(parsePromptBody(body())).toEqual({
      ok: true,
      prompt: {},
      front: false,
      extraData: {},
      secrets: {},
      warnings: [],
    });
    expect(parsePromptBody(body({ client_id: null, partial_execution_targets: null }))).not.toHaveProperty(
      'clientId',
    );
  });

  test('tells whether the counter advances', () => {
    expect(parsePromptBody('{}')).toMatchObject({ status: 400, takesNumber: true });
    expect(parsePromptBody('{"number": 1}')).toMatchObject({ status: 400, takesNumber: false });
    expect(parsePromptBody('{')).toMatchObject({ status: 500, takesNumber: false });
    expect(parsePromptBody(body({ number: {} }))).toMatchObject({ status: 500, takesNumber: false });
    expect(parsePromptBody(body({ extra_data: 5 }))).toMatchObject({ status: 500, takesNumber: true });
  });

  test('with NaN is read with a warning', () => {
    expect(parsePromptBody('{"prompt": {}, "extra_data": {"x": NaN}}')).toMatchObject({
      extraData: { x: null },
      warnings: [{ code: 'graph/nan' }],
    });
  });

  test('has a place in the queue', () => {
    expect(parsePromptBody(body({ number: ' -2.5 ' }))).toMatchObject({ number: -2.5 });
    for (const number of ['nan', 'inf', '-infinity']) {
      expect(parsePromptBody(body({ number }))).toMatchObject({
        status: 400,
        error: { type: 'invalid_prompt' },
      });
    }
    expect(parsePromptBody(body({ front: [] }))).toMatchObject({ front: false });
    expect(parsePromptBody(body({ front: 'false' }))).toMatchObject({ front: true });
  });
});

describe('limits', () => {
  const limits = { ...PROMPT_LIMITS, bytes: 2000, nodes: 3, listLength: 10 };
  const refusal = { status: 400, error: { type: 'invalid_prompt' } };

  test('on bytes', () => {
    expect(parsePromptBody(body({ x: 'é'.repeat(1000) }), limits)).toMatchObject({ status: 413 });
    expect(parsePromptBody(body({ x: 'é'.repeat(900) }), limits)).toMatchObject({ ok: true });
  });

  test('on nodes', () => {
    const nodes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, id) => [`n${id}`, {}]));
    expect(parsePromptBody(body({}, nodes(3)), limits)).toMatchObject({ ok: true });
    expect(parsePromptBody(body({}, nodes(4)), limits)).toMatchObject(refusal);
  });

  test('on lists and objects anywhere', () => {
    expect(parsePromptBody(body({ x: [Array(10).fill(0)] }), limits)).toMatchObject({ ok: true });
    expect(parsePromptBody(body({ x: [Array(11).fill(0)] }), limits)).toMatchObject(refusal);
  });

  test('on depth, however deep', () => {
    expect(parsePromptBody(`{"prompt": {}, "x": ${nested(199)}}`)).toMatchObject({ ok: true });
    expect(parsePromptBody(`{"prompt": {}, "x": ${nested(200)}}`)).toMatchObject(refusal);
    expect(parsePromptBody(`{"prompt": {}, "x": ${nested(1_000_000)}}`)).toMatchObject(refusal);
  });
});

describe('hostile names', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s is neither a node nor an input', (name) => {
    const node = `{"class_type": "X", "inputs": {"${name}": 1}}`;
    for (const prompt of [`{"${name}": {}}`, `{"1": ${node}}`]) {
      const parsed = parsePromptBody(`{"prompt": ${prompt}}`);
      expect(parsed).toMatchObject({ status: 400, error: { type: 'invalid_prompt' }, takesNumber: true });
    }
  });

  test('extra_data may have any: they stay its own', () => {
    const parsed = parsePromptBody('{"prompt": {}, "extra_data": {"__proto__": {"polluted": 1}}}');
    expect(parsed.ok && Object.keys(parsed.extraData)).toEqual(['__proto__']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

test('any text is answered, and any prompt comes through as it was written', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof parsePromptBody(text).ok === 'boolean'));
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (json) => {
      const parsed = parsePromptBody(`{"prompt": ${json}}`);
      if (parsed.ok) expect(JSON.stringify(parsed.prompt)).toBe(JSON.stringify(JSON.parse(json)));
    }),
  );
});
