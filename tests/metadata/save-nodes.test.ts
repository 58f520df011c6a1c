import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { chooseSaveNode, findSaveNodes } from '../../nodes/metadata/save-nodes.ts';
import { node, type RawGraph, ruleBook } from './graphs.ts';

const image = ['1', 0];
const load = node('LoadImage', { image: 'x.png' });
const parse = (graph: RawGraph) => parsePromptGraph(graph, () => {});
const found = (graph: RawGraph) => findSaveNodes(parse(graph), ruleBook).map(({ id }) => id);

describe('findSaveNodes', () => {
  test('known savers, by id part by part; previews never count', () => {
    const graph = {
      '1': load,
      '57:10': node('SaveImage', { images: image }),
      '57:9': node('SaveAnimatedWEBP', { images: image }),
      '8': node('PreviewImage', { images: image }),
      '12': node('LineageSaveImage', { images: image }),
    };
    expect(found(graph)).toEqual(['12', '57:9', '57:10']);
  });

  test('without one, unknown nodes at the end that take a picture', () => {
    const graph = {
      '1': load,
      '2': node('SomebodysFilter', { image }),
      '3': node('SomebodysSaver', { images: ['2', 0] }),
      '4': node('SomebodysVideoSaver', { video: ['2', 0] }),
      '5': node('SomebodysNote', { text: 'x' }),
      '6': node('PreviewImage', { images: image }),
    };
    expect(found(graph)).toEqual(['3', '4']);
    expect(found({ ...graph, '7': node('SaveImage', { images: image }) })).toEqual(['7']);
  });

  test('none', () => expect(found({ '1': load, '2': node('PreviewImage', { images: image }) })).toEqual([]));
});

describe('chooseSaveNode', () => {
  const one = { '1': load, '9': node('SaveImage', { images: image }) };
  const two = { ...one, '10': node('SaveImage', { images: image }) };
  const choose = (graph: RawGraph, named?: string) => chooseSaveNode(parse(graph), ruleBook, named);

  test('the only one, or the one named, whatever it is', () => {
    expect(choose(one)).toBe('9');
    expect(choose(two, '10')).toBe('10');
    expect(choose(two, '1')).toBe('1');
  });

  test.each([
    [
      'graph/several-save-nodes',
      two,
      undefined,
      'expected one saving node, got 9 (SaveImage), 10 (SaveImage)',
    ],
    [
      'graph/no-save-node',
      { '1': load },
      undefined,
      'expected a node that saves a picture among 1 nodes, got none',
    ],
    ['graph/unknown-node', one, '99', 'expected the id of a node, got 99'],
  ] as const)('%s', (code, graph, named, message) => {
    try {
      choose(graph, named);
      expect.unreachable();
    } catch (error) {
      if (!isLineageError(error, code)) throw error;
      expect(error.message).toBe(message);
    }
  });
});
