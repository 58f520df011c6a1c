import type { Stream } from '../../rules/define.ts';
import { type PlaceFilter, placesAt, readFacts } from './facts.ts';
import { type Arrival, type FlowContext, stepUpstream } from './flow.ts';
import { asText } from './operations.ts';
import { createSeen } from './walk.ts';

export type Side = 'positive' | 'negative';

/** What stands between texts that meet where no rule says otherwise. */
const DEFAULT_JOIN = '\n';
/** Longer than any prompt that people write; what many nodes add to one may be. */
const MAX_PROMPT_CHARS = 1024 * 1024;
const PROMPT_FIELD = { positive: 'POSITIVE_PROMPT', negative: 'NEGATIVE_PROMPT' } as const;

/**
 * The prompt of one side of a sampler: the texts of all encoders that its conditioning is made of, in the order
 * of the inputs, joined as the combining nodes say. Empty texts are skipped, equal ones written once. A text on the
 * sampler itself stands instead of all that.
 *
 * @param start the sampler
 */
export function composePrompt(start: Arrival, side: Side, context: FlowContext): string {
  const own = ownText(start, side, context);
  if (own !== undefined) return own;
  // A sampler may come as an object, with its conditioning, as may a guider.
  const streams: ReadonlySet<Stream> = new Set([side, 'guider', 'sampler']);
  const isNew = createSeen();
  const written = new Set<string>();
  let prompt = '';
  // Depth first with an explicit stack: a chain of combiners may be thousands of nodes long.
  const stack: Pending[] = [{ arrival: start, join: DEFAULT_JOIN }];
  for (let at = stack.pop(); at; at = stack.pop()) {
    if ('text' in at) {
      if (written.has(at.text)) continue;
      if (prompt.length + at.join.length + at.text.length > MAX_PROMPT_CHARS) {
        const most = `the ${side} prompt is longer than ${MAX_PROMPT_CHARS} characters; what is beyond was left out`;
        context.warn('embed/dropped', most, start.node.id);
        break;
      }
      prompt += prompt === '' ? at.text : `${at.join}${at.text}`;
      written.add(at.text);
      continue;
    }
    if (!isNew(at.arrival)) continue;
    const joins = context.book.get(at.arrival.node.classType)?.rule.joins ?? DEFAULT_JOIN;
    const steps = stepUpstream(at.arrival, context).filter((step) => streams.has(step.stream));
    const text = textOf(at.arrival, side, context);
    // A node that passes conditioning on adds its own words behind what it was given.
    if (text !== undefined) stack.push({ text, join: steps.length === 0 ? at.join : joins });
    // What comes first inherits the join of the combiner further down; the others get this node's.
    const { join } = at;
    stack.push(...steps.map((arrival, i) => ({ arrival, join: i === 0 ? join : joins })).reverse());
  }
  return prompt;
}

type Pending =
  | { readonly arrival: Arrival; readonly join: string }
  | { readonly text: string; readonly join: string };

/** A text on the sampler itself: a place that names no stream. */
function ownText(start: Arrival, side: Side, context: FlowContext): string | undefined {
  return textAt(start, side, context, (place) => place.on === undefined);
}

/** The text that a node itself adds to this side. */
function textOf(arrival: Arrival, side: Side, context: FlowContext): string | undefined {
  return arrival.stream !== side ? undefined : textAt(arrival, side, context, placesAt(arrival));
}

function textAt(
  { node }: Arrival,
  side: Side,
  context: FlowContext,
  counts: PlaceFilter,
): string | undefined {
  const booked = context.book.get(node.classType);
  if (!booked) return undefined;
  const facts = readFacts(node, booked, counts, context).filter((fact) => fact.field === PROMPT_FIELD[side]);
  const texts = facts.map((fact) => asText(fact.value).trim()).filter((text) => text !== '');
  return texts.length === 0 ? undefined : [...new Set(texts)].join(DEFAULT_JOIN);
}
