import { element } from '../shared/element.ts';
import type { Sampler } from '../shared/panel-client.ts';
import { svg } from './svg.ts';

/**
 * The samplers in the order of their steps: of each, which steps of its run it took. All share one axis, as long as
 * the longest run.
 *
 * @param onSampler told which sampler the pointer is on; null when it leaves
 */
export function stepAxis(
  samplers: readonly Sampler[],
  primary: string | null,
  onSampler: (nodeId: string | null) => void,
): HTMLElement {
  const longest = Math.max(1, ...samplers.map(({ steps = 0 }) => steps));
  const ordered = samplers.toSorted((a, b) => (a.startStep ?? 0) - (b.startStep ?? 0));
  const rows = ordered.map((sampler) => {
    const row = element(
      'li',
      { class: 'sampler' },
      element(
        'p',
        {},
        element('span', { class: 'lineage-node' }, sampler.nodeId),
        ' ',
        element('b', {}, nameOf(sampler)),
        sampler.nodeId === primary && element('span', { class: 'lineage-tag' }, 'primary'),
      ),
      stepBar(sampler, longest),
      element('p', { class: 'lineage-soft' }, wordsOf(sampler)),
    );
    row.addEventListener('pointerenter', () => onSampler(sampler.nodeId));
    row.addEventListener('pointerleave', () => onSampler(null));
    return row;
  });
  return element(
    'section',
    { class: 'steps', 'aria-label': 'Samplers' },
    element('h2', {}, samplers.length === 1 ? 'Sampler' : 'Samplers'),
    element('ul', {}, ...rows),
    element(
      'p',
      { class: 'axis', 'aria-hidden': 'true' },
      element('span', {}, '0'),
      element('span', {}, String(longest)),
    ),
  );
}

/** One unit of the drawing is one step. */
function stepBar(sampler: Sampler, longest: number): Element {
  const { steps } = sampler;
  const bar = svg('svg', {
    class: 'step-bar',
    viewBox: `0 0 ${longest} 1`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': wordsOf(sampler),
  });
  if (steps === undefined) return bar;
  bar.append(svg('rect', { class: 'run', x: 0, y: 0, width: steps, height: 1 }));
  const { startStep = 0, endStep = steps - 1 } = sampler;
  // The last step is one that runs.
  const width = Math.max(0, endStep + 1 - startStep);
  bar.append(svg('rect', { class: 'part', x: startStep, y: 0, width, height: 1 }));
  return bar;
}

function nameOf({ samplerName, scheduler, classType }: Sampler): string {
  const parts = [samplerName, scheduler].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(' · ') : classType;
}

/** Counted from 0, as ComfyUI does. */
function wordsOf({ steps, startStep, endStep }: Sampler): string {
  if (startStep !== undefined)
    return `steps ${startStep} to ${endStep ?? '?'} of ${steps ?? 'an unknown number'}`;
  return steps === undefined ? 'unknown steps' : `all ${steps} steps`;
}
