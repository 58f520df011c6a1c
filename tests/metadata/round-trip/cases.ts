import { readFileSync } from 'node:fs';
import { stringifyAscii } from '../../../nodes/kit/exact-json.ts';
import type { ModelStore } from '../../../nodes/kit/host.ts';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import type { Warning } from '../../../nodes/kit/warnings.ts';
import { type Embedded, embedMetadata } from '../../../nodes/metadata/embed.ts';
import { parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { learn } from '../../../nodes/metadata/learn.ts';
import { resolveResources } from '../../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../../nodes/metadata/rule-book.ts';
import type { Stage } from '../../../nodes/metadata/stages.ts';
import { writeUp } from '../../../nodes/metadata/write-up.ts';
import { rulePacks } from '../../../rules/index.gen.ts';

/** A text of `fixtures/texts/adversarial.json`. */
type Entry = {
  readonly name: string;
  /** What it goes for. */
  readonly attacks: string;
  readonly text: string;
  /** How often the text is written, one behind the other; once where absent. */
  readonly repeat?: number;
  /** Whether it is also tried as negative prompt. */
  readonly negative?: boolean;
  /** Where a stage cannot hold the text: the one that the JPEG ends in. */
  readonly stages?: Partial<Record<Stage, Stage>>;
};

/** A pair of prompts. */
export type Case = {
  readonly name: string;
  readonly positive: string;
  readonly negative: string;
  readonly stages: Partial<Record<Stage, Stage>>;
};

/** A way of writing a picture. */
export type Variant = {
  readonly name: string;
  readonly format: ImageFormat;
  readonly extension: string;
  /** Prompt graph and workflow are written too. */
  readonly withGraphs: boolean;
  /** The stage that the budget and what else is to be written lead to; `full` but in JPEG. */
  readonly stage: Stage;
  /** A filler behind the positive prompt makes it too long to be whole. */
  readonly isCut?: true;
  /** Without its extension. */
  readonly model?: string;
  readonly budget: number;
};

/** One written file, and what was given to the writer. */
export type Picture = {
  readonly case: Case;
  readonly variant: Variant;
  readonly file: string;
  /** The positive prompt as given: the case's own, and a filler behind it where it is to be cut. */
  readonly positive: string;
  readonly prompt: string;
  readonly workflow: string;
  readonly record: string;
  readonly embedded: Embedded;
  readonly warnings: readonly Warning[];
};

const TEXTS = new URL('../../../fixtures/texts/adversarial.json', import.meta.url);

export const cases: readonly Case[] = (JSON.parse(readFileSync(TEXTS, 'utf8')) as Entry[]).flatMap(
  ({ name, text, repeat = 1, negative = false, stages = {} }) => {
    const whole = text.repeat(repeat);
    const positive = { name, positive: whole, negative: 'blurry', stages };
    return negative
      ? [positive, { name: `${name} as negative`, positive: 'a fox', negative: whole, stages }]
      : [positive];
  },
);

/** The model that the pictures were made with, where a variant has no other. */
export const MODEL = 'fox_v1';
const LARGEST = 65_535;
const SMALLEST = 4_096;

export const variants: readonly Variant[] = [
  { name: 'png', format: 'png', extension: 'png', withGraphs: true, stage: 'full', budget: LARGEST },
  {
    name: 'png without graphs',
    format: 'png',
    extension: 'png',
    withGraphs: false,
    stage: 'full',
    budget: LARGEST,
  },
  { name: 'webp', format: 'webp', extension: 'webp', withGraphs: true, stage: 'full', budget: LARGEST },
  { name: 'avif', format: 'avif', extension: 'avif', withGraphs: true, stage: 'full', budget: LARGEST },
  { name: 'jpeg full', format: 'jpeg', extension: 'jpg', withGraphs: true, stage: 'full', budget: LARGEST },
  {
    name: 'jpeg reduced-exif',
    format: 'jpeg',
    extension: 'jpg',
    withGraphs: true,
    stage: 'reduced-exif',
    budget: 2 * SMALLEST,
  },
  {
    name: 'jpeg minimal',
    format: 'jpeg',
    extension: 'jpg',
    withGraphs: true,
    stage: 'minimal',
    budget: SMALLEST,
  },
  {
    name: 'jpeg minimal, cut',
    format: 'jpeg',
    extension: 'jpg',
    withGraphs: true,
    stage: 'minimal',
    isCut: true,
    budget: SMALLEST,
  },
  {
    name: 'jpeg com-marker',
    format: 'jpeg',
    extension: 'jpg',
    withGraphs: true,
    stage: 'com-marker',
    // Settings that are too large for 4 KiB in UTF-16, and half as large in UTF-8.
    model: `${MODEL}_é${'z'.repeat(1_800)}`,
    budget: SMALLEST,
  },
];

/** The picture's sides. */
export const SIDE = 16;

/** A model folder that holds one model, so that hashes are written too. */
const models: ModelStore = {
  find: async (name) =>
    name.startsWith(MODEL)
      ? { found: true, folder: 'checkpoints', file: '/models/fox_v1.safetensors', bytes: 1 }
      : { found: false, reason: 'missing' },
  hash: async () => ({
    sha256: '0123456789abcdef'.repeat(4),
    autoV1: '01234567',
    autoV2: '0123456789',
    autoV3: '0123456789ab',
  }),
};

const book = createRuleBook(rulePacks);

/** Base and refiner over one model and two texts, as people wire them. */
function makeGraph(positive: string, negative: string, model: string): Record<string, object> {
  const sampler = (inputs: object): object => ({
    class_type: 'KSamplerAdvanced',
    inputs: {
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      noise_seed: 42,
      steps: 20,
      cfg: 7,
      scheduler: 'karras',
      ...inputs,
    },
  });
  return {
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: `${model}.safetensors` } },
    '5': { class_type: 'EmptyLatentImage', inputs: { width: SIDE, height: SIDE, batch_size: 1 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { clip: ['4', 1], text: positive } },
    '7': { class_type: 'CLIPTextEncode', inputs: { clip: ['4', 1], text: negative } },
    '10': sampler({ latent_image: ['5', 0], sampler_name: 'euler', start_at_step: 0, end_at_step: 12 }),
    '11': sampler({
      latent_image: ['10', 0],
      sampler_name: 'dpmpp_2m',
      start_at_step: 12,
      end_at_step: 10_000,
    }),
    '8': { class_type: 'VAEDecode', inputs: { samples: ['11', 0], vae: ['4', 2] } },
    '9': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'x' } },
  };
}

/** No 4 KiB hold it whole, in whatever encoding. */
function fill(text: string): string {
  const missing = 4_500 - text.length;
  return missing > 0 ? `${text}\n${'z'.repeat(missing)}` : text;
}

/** What is written of a case, the same way from graph to file as the save node goes. */
export async function write(
  one: Case,
  variant: Variant,
  encoded: Uint8Array,
  file: string,
): Promise<Picture> {
  const { warn, list: warnings } = createWarningLog();
  const positive = variant.isCut ? fill(one.positive) : one.positive;
  const graph = makeGraph(positive, one.negative, variant.model ?? MODEL);
  const options = { select: 'range', maxSamplers: 4 } as const;
  const learnt = learn(parsePromptGraph(graph, warn), '9', book, options, warn);
  const resources = await resolveResources(learnt, models, warn);
  // A key of the user's own that `minimal` leaves out, too long for its budget.
  const extra = new Map(variant.stage === 'minimal' && !variant.isCut ? [['Note', 'word '.repeat(900)]] : []);
  const size = { width: SIDE, height: SIDE };
  const padding = variant.stage === 'reduced-exif' ? 'x'.repeat(variant.budget) : '';
  const workflow = {
    nodes: [{ id: 6, type: 'CLIPTextEncode', widgets_values: [positive, one.negative] }],
    extra: { padding },
  };
  const graphs = { prompt: graph, workflow };
  const { metadata } = writeUp(
    learnt,
    resources,
    { size, extra, ...(variant.withGraphs && { graphs }) },
    warn,
  );
  const embedded = embedMetadata(encoded, { ...metadata, maxExifBytes: variant.budget }, warn);
  return {
    case: one,
    variant,
    file,
    positive,
    prompt: stringifyAscii(graph),
    workflow: stringifyAscii(workflow),
    record: metadata.record,
    embedded,
    warnings,
  };
}
