import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findPin } from '../../nodes/metadata/pin.ts';

const pinned = { 'lineage.pin': 'sampler' };
const inner = (nodes: unknown, id = 'sub') => ({ definitions: { subgraphs: [{ id, nodes }] } });

describe('findPin', () => {
  test.each([
    [
      'a node',
      {
        nodes: [
          { id: 3, type: 'X' },
          { id: 10, type: 'KSampler', properties: pinned },
        ],
      },
      '10',
    ],
    ['a node with a text id', { nodes: [{ id: '10', properties: pinned }] }, '10'],
    [
      'the first of two',
      {
        nodes: [
          { id: 9, properties: pinned },
          { id: 8, properties: pinned },
        ],
      },
      '9',
    ],
    [
      'one inside a subgraph',
      { nodes: [{ id: 57, type: 'sub' }], ...inner([{ id: 8, properties: pinned }]) },
      '57:8',
    ],
    ['the instance itself', { nodes: [{ id: 57, type: 'sub', properties: pinned }], ...inner([]) }, '57'],
    ['another kind', { nodes: [{ id: 3, properties: { 'lineage.pin': 'save' } }] }, undefined],
    ['nothing', { nodes: [{ id: 3, properties: {} }, { id: 4 }] }, undefined],
    [
      'a definition that nothing uses',
      { nodes: [{ id: 1 }], ...inner([{ id: 8, properties: pinned }]) },
      undefined,
    ],
  ])('%s', (_what, workflow, id) => expect(findPin(workflow, 'sampler')).toBe(id));

  test('in subgraphs inside subgraphs', () => {
    const subgraphs = [
      { id: 'outer', nodes: [{ id: 62, type: 'inner' }] },
      { id: 'inner', nodes: [{ id: 174, properties: pinned }] },
    ];
    expect(findPin({ nodes: [{ id: 54, type: 'outer' }], definitions: { subgraphs } }, 'sampler')).toBe(
      '54:62:174',
    );
  });

  test('a subgraph that holds itself ends, also where it branches', () => {
    const nodes = Array.from({ length: 20 }, (_, id) => ({ id, type: 'sub' }));
    const started = performance.now();
    expect(findPin({ nodes, ...inner(nodes) }, 'sampler')).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('no workflow, however odd, is a fault', () => {
    const key = fc.constantFrom(
      'nodes',
      'id',
      'type',
      'properties',
      'definitions',
      'subgraphs',
      'lineage.pin',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom('sampler', 'sub', null, 5, undefined),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(value, fc.anything()), (workflow) => {
        const found = findPin(workflow, 'sampler');
        expect(found === undefined || typeof found === 'string').toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
