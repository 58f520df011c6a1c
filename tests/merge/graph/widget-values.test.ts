import { expect, test } from 'vitest';
import { manifestToWorkflow } from '../../../nodes/merge/graph/manifest-to-workflow.ts';

type Workflow = {
  readonly nodes: readonly { readonly type: string; readonly widgets_values: readonly unknown[] }[];
};

test.each([
  // In the order of the widgets: the method, its parameters, params, weights, step, more.
  ['a method with parameters', { method: 'slerp', params: { t: 0.25 } }, ['slerp', 0.25, 'raw', 0.9995, '']],
  [
    'a default that is spelt out',
    { method: 'slerp', params: { t: 0.5 } },
    ['slerp', 0.5, 'raw', 0.9995, 't=0.5'],
  ],
  ['a method without parameters', {}, ['sum', '']],
])('a workflow lists the values of %s by their place', (_, said, values) => {
  const model = { path: 'a.safetensors' };
  const { nodes } = manifestToWorkflow({
    ...said,
    models: [model, model],
    output: 'o.safetensors',
  }) as Workflow;
  const merge = nodes.find(({ type }) => type === 'LineageMerge');
  expect(merge?.widgets_values).toEqual([...values, '', 'merge', expect.any(String)]);
});
