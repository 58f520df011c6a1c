import { describe, expect, test } from 'vitest';
import type { Parameters } from '../../nodes/metadata/infotext.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';

const parameters: Parameters = {
  positive: 'a heron',
  negative: 'blur',
  details: [
    { key: 'Steps', value: '30' },
    { key: 'Note', value: 'é' },
    { key: 'Version', value: 'ComfyUI' },
  ],
  hashes: new Map([['model', '1a1a1a1a1a']]),
};
const metadata = { parameters, prompt: '{}', workflow: '{}' };
const WHOLE =
  'a heron\nNegative prompt: blur\nSteps: 30, Note: é, Hashes: {"model":"1a1a1a1a1a"}, Version: ComfyUI';
const why = 'the budget is too small';

describe('what the budget left out', () => {
  test.each([
    ['nothing', WHOLE, [], []],
    ['the prompt graph', WHOLE, [{ what: 'prompt', why }], ['prompt graph']],
    ['the workflow', WHOLE, [{ what: 'workflow', why }], ['workflow']],
    ['the record, which no reader shows', WHOLE, [{ what: 'lineage:record', why }], []],
    [
      'keys, hashes and the end of a prompt',
      'a heron\nNegative prompt: bl\nSteps: 30',
      [],
      ['Hashes', 'Note', 'Version', 'negative'],
    ],
  ])('%s', (_what, text, dropped, names) => {
    expect([...(meantBy(metadata, { text, dropped }).leftOut ?? [])].sort()).toEqual(names);
  });

  test('is not known where nothing was written', () => {
    expect(meantBy(metadata).leftOut).toBeUndefined();
    expect(meantBy(metadata)).toMatchObject({ prompt: true, workflow: true });
  });
});
