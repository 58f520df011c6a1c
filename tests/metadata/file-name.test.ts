import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrefix } from '../../bridge/local/output-name.ts';
import { createEvaluator } from '../../nodes/metadata/evaluate.ts';
import { fillFileName } from '../../nodes/metadata/file-name.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { findNamedWidgets, type NamedWidgets } from '../../nodes/metadata/named-widgets.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import { chain, kSampler, learnGraph, node, type RawGraph } from './graphs.ts';

const now = new Date(2026, 0, 9, 3, 4, 5);

function fill(prefix: string, positive = 'a heron', modelName = 'sdxl/base v1.0.safetensors'): string {
  const graph = {
    ...chain(kSampler('k', 9)),
    pos: { ...node('CLIPTextEncode', { text: positive, clip: ['ckpt', 1] }), _meta: { title: 'My prompt' } },
    ckpt: node('CheckpointLoaderSimple', { ckpt_name: modelName }),
  };
  const size = { width: 64, height: 48 };
  const widgets = widgetsOf(graph, undefined);
  return fillFileName(prefix, { learnt: learnGraph(graph).learnt, size, now, batchNumber: 2, widgets });
}

function widgetsOf(prompt: RawGraph, workflow: unknown): NamedWidgets {
  const graph = parsePromptGraph(prompt, () => {});
  const evaluator = createEvaluator(graph, createRuleBook(rulePacks));
  return findNamedWidgets({ graph, evaluator, prompt, workflow });
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
    // The front end's date letters: one letter without a leading zero; three years stay.
    ['%date:d.M.yy h_m_s%', '9.1.26 3_4_5'],
    ['%date:yyy%', 'yyy'],
    // As `strftime` in the C locale writes Friday the 9th of January 2026, 03:04:05.
    ['%Y-%m-%d', '2026-01-09'],
    ['%Y%m%d-%H%M%S', '20260109-030405'],
    ['%Y-%m-%d/%Hh%Mm%S', '2026-01-09/03h04m05'],
    ['%F_%I%p_%j_%y_%a_%A_%b_%B', '2026-01-09_03AM_009_26_Fri_Friday_Jan_January'],
    ['%Y_%seed%_%m', '2026_7_01'],
    ['%q %Q 50% off 20% x', '%q %Q 50% off 20% x'],
    // The server's own.
    ['%year%-%month%-%day% %hour%.%minute%.%second% %batch_num%', '2026-01-09 03.04.05 2'],
    ['%KSampler.steps%', '9'],
    ['%KSampler.steps% at %Y', '9 at 2026'],
    ['%My prompt.text%', 'a heron'],
    ['%Sampler.nothing% %No.widget%', '%Sampler.nothing% %No.widget%'],
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

  test('whatever the values, the name stays below the output folder and no other host refuses it', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'a', ' ', '\n', 'C:', 'CON', '?', '\u0007', '界');
    const text = fc.oneof(
      fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary' }),
    );
    const token = fc.constantFrom(
      '%pprompt%',
      '%model%',
      '%My prompt.text%',
      '%Y-%m',
      '/',
      '.',
      'x',
      '%seed%',
    );
    const prefixes = fc
      .array(token, { minLength: 1, maxLength: 5 })
      .map((tokens) => tokens.join(''))
      .filter((prefix) => !prefix.startsWith('/') && !prefix.includes('..'));
    fc.assert(
      fc.property(prefixes, text, text, (prefix, prompt, model) => {
        const { folders, stem } = parsePrefix(fill(prefix, prompt, model));
        expect(folders.length).toBeLessThanOrEqual(prefix.split('/').length - 1);
        for (const part of [...folders, stem]) {
          expect(part).not.toMatch(/[<>:"|?*/\\\p{Cc}]|[. ]$|^\.|^$/u);
          expect(part).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(200);
        }
      }),
    );
  });
});

describe('%Node.widget%', () => {
  const graph = {
    ...chain(kSampler('k', 9)),
    '57:8': node('PrimitiveInt', { value: 12 }),
    two: node('CLIPTextEncode', { text: ['57:8', 0], clip: ['c', 0], flag: true, list: [1, 'a', 'b'] }),
  };
  const inner = { id: 8, type: 'PrimitiveInt', title: 'Inside', properties: {} };
  const workflow = {
    nodes: [
      { id: 'k', type: 'KSampler', title: 'Hero', properties: { 'Node name for S&R': 'Main' } },
      { id: 'two', type: 'CLIPTextEncode', title: 'Main', properties: {} },
      { id: 57, type: 'sub-a', title: 'Box' },
      { id: 60, type: 'PrimitiveNode', title: 'Only here', widgets_values: ['day/night', 'fixed'] },
      { id: 61, type: 'Odd', title: 'Named', widgets_values: { strength: 0.5, deep: {} } },
      null,
      { title: 5 },
    ],
    definitions: { subgraphs: [{ id: 'sub-a', nodes: [inner, { id: 9, type: 'sub-a' }] }, 7] },
  };
  const widgets = widgetsOf(graph, workflow);

  test.each([
    ['the name for search and replace wins over a title', 'Main', 'steps', '9'],
    ['the title where no node has that name', 'Hero', 'sampler_name', 'euler'],
    ['a class, as nodes are named before anybody renames them', 'CLIPTextEncode', 'flag', 'true'],
    ['a node inside a subgraph', 'Inside', 'value', '12'],
    ['a node of the editor only', 'Only here', 'value', 'day/night'],
    ['values kept by name', 'Named', 'strength', '0.5'],
    ['a list is no text', 'CLIPTextEncode', 'list', undefined],
    ['an object is no text', 'Named', 'deep', undefined],
    ['a widget that is not there', 'Hero', 'nothing', undefined],
    ['a node that is not there', 'Nobody', 'value', undefined],
  ])('%s', (_, name, widget, value) => expect(widgets(name, widget)).toBe(value));

  test('a value of several path parts becomes one', () => {
    const { learnt } = learnGraph(graph);
    const facts = { learnt, size: { width: 1, height: 1 }, now, widgets };
    expect(fillFileName('%Only here.value%/x', facts)).toBe('day_night/x');
  });

  test('definitions that hold each other twice over end', () => {
    const nodes = Array.from({ length: 40 }, (_, id) => ({ id, type: 'sub-a' }));
    const hostile = { nodes, definitions: { subgraphs: [{ id: 'sub-a', nodes }] } };
    expect(widgetsOf(graph, hostile)('Nobody', 'x')).toBeUndefined();
  });

  test('no workflow can make it throw', () => {
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom('nodes', 'definitions', 'subgraphs', 'id', 'title') }),
        (odd) => {
          expect(widgetsOf(graph, odd)('Nobody', 'x')).toBeUndefined();
        },
      ),
    );
  });
});
