import { expect, test } from 'vitest';
import { readWidgetValues, widgetValues } from '../../nodes/kit/canvas-inputs.ts';
import merge from '../../nodes/merge/graph/merge.node.ts';

const others = { params: '', weights: '0.6, 0.4', step: 'x', more: '' };

// In the order of the widgets: the method, its parameters, params, weights, step, more.
test.each([
  [
    'a method with parameters',
    { method: 'slerp', 'method.t': 0.25, 'method.norms': 'raw', 'method.parallel': 0.9995 },
    ['slerp', 0.25, 'raw', 0.9995],
  ],
  ['a method without parameters', { method: 'sum' }, ['sum']],
])('a workflow lists the values of %s by their place', (_, said, listed) => {
  const values = [...listed, ...Object.values(others)];
  expect(widgetValues(merge, { ...said, ...others })).toEqual(values);
  expect(readWidgetValues(merge, values)).toEqual({ ...said, ...others });
});

test('what a prompt does not say is listed with its default', () => {
  expect(widgetValues(merge, { method: 'slerp' })).toEqual(['slerp', 0.5, 'raw', 0.9995, '', '', '', '']);
  expect(widgetValues(merge, {})).toEqual(['weighted-sum', 0.5, '', '', '', '']);
});

test('a workflow of before the parameters had widgets says none of them', () => {
  const said = { method: 'slerp', ...others, params: 't=0.25' };
  expect(readWidgetValues(merge, Object.values(said))).toEqual(said);
});
