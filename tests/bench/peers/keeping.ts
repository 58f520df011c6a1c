import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openModels } from '../../../bridge/local/open-models.ts';
import { encodePixels } from '../../../nodes/formats/pixels.ts';
import type { ModelStore } from '../../../nodes/kit/host.ts';
import { createWarningLog } from '../../../nodes/kit/warning-log.ts';
import { embedMetadata } from '../../../nodes/metadata/embed.ts';
import { parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { learn } from '../../../nodes/metadata/learn.ts';
import { READERS } from '../../../nodes/metadata/readers/index.ts';
import { viewFile } from '../../../nodes/metadata/readers/view.ts';
import { resolveResources } from '../../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../../nodes/metadata/rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../../nodes/metadata/samplers.ts';
import { writeUp } from '../../../nodes/metadata/write-up.ts';
import { rulePacks } from '../../../rules/index.gen.ts';
import type { RawGraph } from '../../metadata/graphs.ts';
import type { Measurement } from '../measure.ts';
import { countShown, KEY_FIELDS, type Made } from './key-fields.ts';
import type { Predecessor } from './predecessor.ts';

const SIDE = 64;
const BUDGETS_KIB = [64, 32, 16, 8, 4] as const;
/** A workflow of some twenty nodes and a note. */
const WORKFLOW_CHARS = 24_000;

const PHRASE = 'boats in a quiet harbour, ropes and lanterns, ';
const NEGATIVE = 'text, watermark, embedding:calm_hands';
/** Short and plain, with weights as people write them, long, and beyond ASCII. */
const PROMPTS = [
  'boats in a quiet harbour at dawn',
  '(boats in a quiet harbour:1.2), ropes and lanterns, [mist], film grain',
  `harbour at dawn\n${PHRASE.repeat(90)}film grain`,
  '静かな港の船、夜明け、霧、'.repeat(120),
];
const FILES = {
  model: 'checkpoints/harbour_v3.safetensors',
  vae: 'vae/soft_vae.safetensors',
  lora: 'loras/ink_lines.safetensors',
  embedding: 'embeddings/calm_hands.safetensors',
} as const;

const book = createRuleBook(rulePacks);
const options = { select: 'range', maxSamplers: DEFAULT_MAX_SAMPLERS } as const;

/**
 * The share of the twenty key fields that each reader still finds in a JPEG of a budget, over four prompts: in ours and
 * in the predecessor's, both with Civitai's sampler names and with the weights of LoRAs in the prompt.
 *
 * @param work holds the model folders
 */
export async function benchKeeping(predecessor: Predecessor, work: string): Promise<Measurement[]> {
  const models = join(work, 'models');
  const hashes = writeModels(models);
  const access = openModels({ folders: [models], ledgerFile: undefined, warn: () => {} });
  const ours = new Tally();
  const theirs = new Tally();
  try {
    for (const positive of PROMPTS) {
      const made = { positive, negative: NEGATIVE, hashes };
      const graph = makeGraph(positive);
      const workflow = makeWorkflow(graph);
      await predecessor.load(graph, '9', workflow);
      for (const budget of BUDGETS_KIB) {
        ours.add(budget, await save(graph, workflow, budget, access.models), made);
        const { file } = await predecessor.save(budget, SIDE);
        theirs.add(budget, readFileSync(file), made);
      }
    }
  } finally {
    await access.close();
  }
  return BUDGETS_KIB.flatMap((budget) =>
    READERS.flatMap(({ id, name }): Measurement[] => {
      const [own, other] = [ours.share(budget, id), theirs.share(budget, id)];
      const cell = `key fields in ${budget} KiB, ${name}`;
      return [
        {
          name: `${cell}: ours`,
          value: own,
          unit: '',
          goal: `>= ${other.toPrecision(3)}`,
          ok: own >= other,
        },
        { name: `${cell}: the predecessor`, value: other, unit: '' },
      ];
    }),
  );
}

/** Fields found, by budget and reader. */
class Tally {
  readonly #found = new Map<string, number>();

  add(budget: number, bytes: Uint8Array, made: Made): void {
    const view = viewFile(bytes);
    for (const { id, read } of READERS) {
      const key = `${budget} ${id}`;
      this.#found.set(key, (this.#found.get(key) ?? 0) + countShown(read(view), made));
    }
  }

  share(budget: number, reader: string): number {
    return (this.#found.get(`${budget} ${reader}`) ?? 0) / (KEY_FIELDS.length * PROMPTS.length);
  }
}

async function save(
  graph: RawGraph,
  workflow: unknown,
  budget: number,
  models: ModelStore,
): Promise<Uint8Array> {
  const { warn } = createWarningLog();
  const data = new Uint8Array(SIDE * SIDE * 3).fill(102);
  const encoded = await encodePixels(
    { width: SIDE, height: SIDE, channels: 3, data },
    { format: 'jpeg', quality: 90 },
  );
  const learnt = learn(parsePromptGraph(graph, warn), '9', book, options, warn);
  const resources = await resolveResources(learnt, models, warn);
  const { metadata } = writeUp(
    learnt,
    resources,
    {
      size: { width: SIDE, height: SIDE },
      civitaiSampler: true,
      loraStrengthsInPrompt: true,
      graphs: { prompt: graph, workflow },
    },
    warn,
  );
  return embedMetadata(encoded, { ...metadata, maxExifBytes: budget * 1024 }, warn).bytes;
}

/** Stand-ins: only their names and hashes matter. */
function writeModels(folder: string): Made['hashes'] {
  const write = (name: string): string => {
    const bytes = Buffer.from(`stand-in for ${name}`);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    return createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  };
  return {
    model: write(FILES.model),
    vae: write(FILES.vae),
    lora: write(FILES.lora),
    embedding: write(FILES.embedding),
  };
}

function makeGraph(positive: string): RawGraph {
  const model = { model: ['2', 0], clip: ['2', 1] };
  return {
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'harbour_v3.safetensors' } },
    2: {
      class_type: 'LoraLoader',
      inputs: {
        model: ['1', 0],
        clip: ['1', 1],
        lora_name: 'ink_lines.safetensors',
        strength_model: 0.6,
        strength_clip: 0.6,
      },
    },
    3: { class_type: 'CLIPSetLastLayer', inputs: { clip: model.clip, stop_at_clip_layer: -2 } },
    4: { class_type: 'CLIPTextEncode', inputs: { clip: ['3', 0], text: positive } },
    5: { class_type: 'CLIPTextEncode', inputs: { clip: ['3', 0], text: NEGATIVE } },
    6: { class_type: 'EmptyLatentImage', inputs: { width: SIDE, height: SIDE, batch_size: 1 } },
    7: {
      class_type: 'KSampler',
      inputs: {
        model: model.model,
        positive: ['4', 0],
        negative: ['5', 0],
        latent_image: ['6', 0],
        seed: 721_897_303_308_196,
        steps: 28,
        cfg: 6.5,
        sampler_name: 'dpmpp_2m',
        scheduler: 'karras',
        denoise: 0.75,
      },
    },
    10: { class_type: 'VAELoader', inputs: { vae_name: 'soft_vae.safetensors' } },
    8: { class_type: 'VAEDecode', inputs: { samples: ['7', 0], vae: ['10', 0] } },
    9: { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'image' } },
  };
}

function makeWorkflow(graph: RawGraph): object {
  const nodes = Object.entries(graph).map(([id, { class_type: type, inputs }]) => ({
    id: Number(id),
    type,
    widgets_values: Object.values(inputs ?? {}).filter((value) => !Array.isArray(value)),
  }));
  const room = WORKFLOW_CHARS - JSON.stringify(nodes).length;
  const note = { id: 11, type: 'Note', widgets_values: ['lanterns '.repeat(Math.ceil(room / 9))] };
  return { version: 0.4, last_node_id: 11, nodes: [...nodes, note], links: [] };
}
