import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fillFileName } from '../../nodes/metadata/file-name.ts';
import { chain, kSampler, learnGraph, node } from './graphs.ts';

const now = new Date(2026, 0, 9, 3, 4, 5);

function fill(prefix: string, positive = 'a heron', modelName = 'sdxl/base v1.0.safetensors'): string {
  const graph = {
    ...chain(kSampler('k', 9)),
    pos: node('CLIPTextEncode', { text: positive, clip: ['ckpt', 1] }),
    ckpt: node('CheckpointLoaderSimple', { ckpt_name: modelName }),
  };
  return fillFileName(prefix, { learnt: learnGraph(graph).learnt, size: { width: 64, height: 48 }, now });
}

describe('fillFileName', () => {
  test.each([
    ['out/%seed%', 'out/7'],
    ['%width%x%height%', '64x48'],
    ['%model%', 'base v1.0'],
    ['%model:4%', 'base'],
    ['%pprompt%-%nprompt%', 'a heron-blur'],
    ['%pprompt:3%', 'a h'],
    ['%pprompt:2%', 'a'],
    ['%date%', '20260109030405'],
    ['%date:yyyy-MM-dd%', '2026-01-09'],
    ['%date:yy.hh.mm.ss%', '26.03.04.05'],
    ['%date:yyyy/MM%', '2026 01'],
    ['%unknown% %Seed% 100%', '%unknown% %Seed% 100%'],
    ['%seed%%width%', '764'],
    ['no tokens', 'no tokens'],
  ])('%s becomes %s', (prefix, name) => expect(fill(prefix)).toBe(name));

  test('what is unknown becomes empty', () => {
    const { learnt } = learnGraph({ save: node('SaveImage', {}) });
    expect(fillFileName('[%seed%][%model%][%pprompt%]', { learnt, size: { width: 1, height: 2 }, now })).toBe(
      '[][][]',
    );
  });

  test('a prompt is cut to 80 characters, between code points', () => {
    expect(fill('%pprompt%', '😀'.repeat(100))).toBe('😀'.repeat(80));
    expect(fill('%pprompt:1%', '😀x')).toBe('😀');
  });

  test('a prompt or a model name never adds or leaves a folder', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'a', ' ', '\n', '\t', '%seed%', 'C:');
    const text = fc.array(piece).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, (prompt, model) => {
        for (const token of ['%pprompt%', '%model%', '%pprompt:3%']) {
          const name = fill(`out/x${token}/y`, prompt, model);
          expect(name.split(/[\\/]/)).toHaveLength(3);
          expect(name).not.toContain('..');
        }
      }),
    );
  });

  test('nor does an empty one make the path absolute or lead up', () => {
    for (const prompt of ['', '..', '/', '../..', '/etc/passwd'])
      expect(fill('%pprompt%/x', prompt).startsWith('..')).toBe(false);
    expect(fill('%pprompt%/x', '/etc/passwd')).toBe('etc passwd/x');
  });
});
