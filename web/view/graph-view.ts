import { element } from '../shared/element.ts';
import { svg } from './svg.ts';
import type { DrawnNode, PictureGraph } from './told.ts';

/** A drawn graph, over which ways can be shown. */
export type GraphView = {
  readonly root: HTMLElement;
  /** Lights the nodes of a way and the links between them, and nothing else; without ids, all is as before. */
  show(path: readonly string[]): void;
};

/** Room around the nodes, in pixels of the drawing. */
const MARGIN = 8;
/** Smaller than this, names can't be read: the drawing scrolls instead. */
const MIN_SCALE = 0.8;
/** What fits into a box in most fonts; the whole name is shown under the pointer. */
const MAX_NAME = 18;
const MAX_ID_LINE = 23;
/** Larger than this, small graphs look like posters. */
const MAX_SCALE = 1.15;

/**
 * Draws the graph.
 *
 * @param onNode told which node the pointer is on; null when it leaves
 */
export function graphView(graph: PictureGraph, onNode: (id: string | null) => void): GraphView {
  const { width, height, nodes, links, nodeSize } = graph;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const boxes = new Map(nodes.map((node) => [node.id, nodeBox(node, nodeSize, onNode)]));
  const lines = links.flatMap(({ from, to }) => {
    const [a, b] = [byId.get(from), byId.get(to)];
    return a && b ? [{ from, to, line: linkLine(a, b, nodeSize) }] : [];
  });
  const [fullWidth, fullHeight] = [width + 2 * MARGIN, height + 2 * MARGIN];
  const drawing = svg(
    'svg',
    {
      viewBox: `${-MARGIN} ${-MARGIN} ${fullWidth} ${fullHeight}`,
      role: 'img',
      'aria-label': `Graph of ${nodes.length} nodes and ${links.length} links`,
    },
    ...lines.map(({ line }) => line),
    ...boxes.values(),
  );
  drawing.style.minWidth = `${fullWidth * MIN_SCALE}px`;
  drawing.style.maxWidth = `${fullWidth * MAX_SCALE}px`;
  const frame = element('div', { class: 'graph-frame', tabindex: '0', role: 'group' }, drawing);
  frame.setAttribute('aria-label', 'Graph; arrow keys scroll it');
  const root = element('div', { class: 'graph' }, frame);
  if (graph.leftOut > 0)
    root.append(element('p', { class: 'lineage-note' }, `${graph.leftOut} more nodes are not drawn.`));

  return {
    root,
    show(path) {
      const lit = new Set(path);
      const steps = new Set(path.slice(1).map((to, index) => stepKey(path[index] ?? '', to)));
      root.classList.toggle('shows-way', path.length > 0);
      for (const [id, box] of boxes) box.classList.toggle('on-way', lit.has(id));
      for (const { from, to, line } of lines) line.classList.toggle('on-way', steps.has(stepKey(from, to)));
      const drawn = path.map((id) => byId.get(id)).filter((node) => node !== undefined);
      if (drawn.length > 0) scrollTo(frame, drawing, drawn, nodeSize, graph.width + 2 * MARGIN);
    },
  };
}

function shorten(text: string, most: number): string {
  const signs = [...text];
  return signs.length <= most ? text : `${signs.slice(0, most - 1).join('')}…`;
}

/** Ids may hold any character but are never split again. */
function stepKey(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

function nodeBox(
  { id, classType, title, x, y }: DrawnNode,
  { width, height }: PictureGraph['nodeSize'],
  onNode: (id: string | null) => void,
): SVGGElement {
  const below = title === undefined ? `#${id}` : `#${id} · ${title}`;
  // The inner drawing cuts what is too long for the box.
  const words = svg(
    'svg',
    { x: 9, y: 0, width: width - 14, height },
    svg('text', { x: 0, y: 17, class: 'node-class' }, shorten(classType, MAX_NAME)),
    svg('text', { x: 0, y: 33, class: 'node-id' }, shorten(below, MAX_ID_LINE)),
  );
  const box = svg(
    'g',
    { class: 'node', transform: `translate(${x} ${y})`, 'data-node': id },
    svg('title', {}, `${classType}\n${below}`),
    svg('rect', { width, height, rx: 6 }),
    words,
  );
  box.addEventListener('pointerenter', () => onNode(id));
  box.addEventListener('pointerleave', () => onNode(null));
  return box;
}

function linkLine(
  from: DrawnNode,
  to: DrawnNode,
  { width, height }: PictureGraph['nodeSize'],
): SVGPathElement {
  const [x1, y1] = [from.x + width, from.y + height / 2];
  const [x2, y2] = [to.x, to.y + height / 2];
  // A link to the left, or straight down, leaves to the right as well and comes back.
  const bend = Math.max(26, Math.abs(x2 - x1) / 2);
  return svg('path', {
    class: 'link',
    d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    'data-from': from.id,
    'data-to': to.id,
  });
}

/** Brings a way into the frame where it is outside, its end first: that is where the picture is. */
function scrollTo(
  frame: HTMLElement,
  drawing: SVGSVGElement,
  drawn: readonly DrawnNode[],
  { width, height }: PictureGraph['nodeSize'],
  fullWidth: number,
): void {
  const scale = drawing.getBoundingClientRect().width / fullWidth;
  const [left, top] = [Math.min(...drawn.map(({ x }) => x)), Math.min(...drawn.map(({ y }) => y))];
  const right = Math.max(...drawn.map(({ x }) => x)) + width + 2 * MARGIN;
  const bottom = Math.max(...drawn.map(({ y }) => y)) + height + 2 * MARGIN;
  frame.scrollTo({
    left: within(frame.scrollLeft, frame.clientWidth, left * scale, right * scale),
    top: within(frame.scrollTop, frame.clientHeight, top * scale, bottom * scale),
  });
}

/** Where to scroll so that a stretch is seen; its beginning, where it is longer than the view. */
function within(at: number, seen: number, from: number, to: number): number {
  if (from >= at && to <= at + seen) return at;
  return to - from > seen || from < at ? from : to - seen;
}
