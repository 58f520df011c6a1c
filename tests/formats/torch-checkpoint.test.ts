import { describe, expect, test } from 'vitest';
import { layoutTensors } from '../../nodes/formats/safetensors/layout.ts';
import { refusePickle } from '../../nodes/formats/torch-checkpoint.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { readRecorded, unbase64 } from './recorded.ts';

const { heads } = readRecorded('safetensors/pickles.json') as {
  readonly heads: readonly (readonly [name: string, head: string])[];
};

function refusal(head: Uint8Array): string | undefined {
  try {
    refusePickle(head, 'x.ckpt');
    return undefined;
  } catch (error) {
    if (isLineageError(error, 'weights/pickle')) return `${error.where.file}: ${error.message}`;
    throw error;
  }
}

describe('what torch and pickle write is refused', () => {
  for (const [name, head] of heads)
    test(name, () => {
      const what = /^torch archive/.test(name)
        ? 'archive'
        : /^torch before/.test(name)
          ? 'before 1.6'
          : 'a pickle';
      expect(refusal(unbase64(head))).toMatch(new RegExp(`^x.ckpt: expected .*, got .*${what}`));
    });
});

describe('anything else passes', () => {
  const zip = (name: string) => {
    const head = Buffer.alloc(30);
    head.write('PK\x03\x04', 'latin1');
    head.writeUInt16LE(name.length, 26);
    return Buffer.concat([head, Buffer.from(name)]);
  };
  test('the builder of archives makes what is refused, also as a later entry', () => {
    expect(refusal(zip('x/data.pkl'))).toBeDefined();
    expect(refusal(zip('data.pkl'))).toBeDefined();
    expect(refusal(Buffer.concat([zip('x/version'), zip('x/data.pkl')]))).toBeDefined();
  });
  for (const [name, head] of [
    ['nothing', new Uint8Array(0)],
    ['a safetensors file', layoutTensors([{ name: 'a', dtype: 'U8', shape: [1] }]).header],
    [
      'a safetensors file, its length as PROTO 2, EMPTY_LIST',
      Uint8Array.of(0x80, 2, 0x5d, 0, 0, 0, 0, 0, 0x7b),
    ],
    ['a safetensors file, its length as PROTO 4, FRAME', Uint8Array.of(0x80, 4, 0x95, 3, 0, 0, 0, 0, 0x20)],
    ['a GGUF file', Buffer.from('GGUF\x03\0\0\0')],
    ['another archive', zip('word/document.xml')],
    ['an archive that ends within its first header', zip('data.pkl').subarray(0, 20)],
    ['an archive with a name that only ends so', zip('notdata.pkl')],
    ['text', Buffer.from('(dp0')],
  ] as const)
    test(name, () => {
      expect(refusal(head)).toBeUndefined();
    });
});
