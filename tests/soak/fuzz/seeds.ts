import { readdirSync, readFileSync } from 'node:fs';
import { readContainer, spliceContainer } from '../../../nodes/formats/container.ts';
import { writeExif } from '../../../nodes/formats/exif.ts';
import { setXmpProperty } from '../../../nodes/formats/xmp.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../../nodes/kit/values.ts';
import { readCarried } from '../../../nodes/metadata/carried.ts';
import { RECORD_XMP } from '../../../nodes/metadata/record-places.ts';
import { META_FIELDS, NORMALISERS, ROLES, STREAMS } from '../../../rules/define.ts';
import { rulePacks } from '../../../rules/index.gen.ts';

/** What the mutations start from: pictures of our own encoders, graphs and workflows of `fixtures/`, our rule packs. */
export type Seeds = {
  readonly pictures: Readonly<Record<ImageFormat, readonly Uint8Array[]>>;
  /** An XMP packet with a record of ours. */
  readonly packet: string;
  readonly graphs: readonly unknown[];
  readonly workflows: readonly unknown[];
  readonly rules: readonly unknown[];
  /** Files of rules in YAML. */
  readonly ruleTexts: readonly string[];
  /** Names of classes, inputs and fields, that a mutation hits something with. */
  readonly words: readonly string[];
};

/** The pictures as they come out of the encoders, by format. */
export type BarePictures = Readonly<Record<ImageFormat, readonly Uint8Array[]>>;

const FIXTURES = new URL('../../../fixtures/', import.meta.url);

/** Encodes a small picture of each format and kind; the one step that needs native code. */
export async function encodeBarePictures(): Promise<BarePictures> {
  const { encodePixels } = await import('../../../nodes/formats/pixels.ts');
  const encode = async (format: ImageFormat, channels: 1 | 3 | 4, lossless: boolean): Promise<Uint8Array> => {
    const data = Uint8Array.from({ length: 12 * 8 * channels }, (_, i) => (i * 7) % 256);
    return await encodePixels({ width: 12, height: 8, channels, data }, { format, quality: 80, lossless });
  };
  const all = async (format: ImageFormat): Promise<Uint8Array[]> => [
    await encode(format, 3, false),
    ...(format === 'jpeg' ? [] : [await encode(format, 4, format !== 'avif')]),
  ];
  const made = await Promise.all(IMAGE_FORMATS.map(async (format) => [format, await all(format)] as const));
  const none: BarePictures = { png: [], jpeg: [], webp: [], avif: [] };
  return { ...none, ...Object.fromEntries(made) };
}

/** All seeds, from pictures that were encoded before. */
export function makeSeeds(bare: BarePictures): Seeds {
  const graphs = readDocuments('prompts/', 'prompt.json');
  const workflows = readDocuments('workflows/', 'workflow.json');
  const packet = setXmpProperty(undefined, RECORD_XMP, '{"lineage":1,"note":"a <b> & \\"c\\""}') ?? '';
  const dress = (format: ImageFormat): Uint8Array[] =>
    bare[format].flatMap((bytes) => [bytes, ...dressed(format, bytes, packet, graphs[0], workflows[0])]);
  return {
    pictures: { png: dress('png'), jpeg: dress('jpeg'), webp: dress('webp'), avif: dress('avif') },
    packet,
    graphs,
    workflows,
    rules: rulePacks.map(({ nodes }) => ({
      version: 1,
      nodes: Object.fromEntries(Object.entries(nodes).slice(0, 3)),
    })),
    ruleTexts: RULE_TEXTS,
    words: [...wordsOf(), 'MarkdownNote', 'SetNode', 'GetNode', 'PrimitiveNode', 'Reroute', 'SaveImage'],
  };
}

/** The texts of prompt graphs and of workflows that the pictures carry, each once. */
export function carriedGraphs({
  pictures,
}: Seeds): Readonly<Record<'graphs' | 'workflows', readonly string[]>> {
  const carried = Object.values(pictures).flatMap((each) =>
    each.map((bytes) => readCarried(readContainer(bytes))),
  );
  const textsOf = (key: 'prompt' | 'workflow'): string[] => [
    ...new Set(carried.flatMap(({ [key]: text }) => (text === undefined ? [] : [text]))),
  ];
  return { graphs: textsOf('prompt'), workflows: textsOf('workflow') };
}

const INFOTEXT =
  '(a fox:1.2), <lora:snow:0.8>\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Schedule type: Karras, ' +
  'CFG scale: 7, Seed: 42, Size: 12x8, Model hash: 0123456789, Model: fox, Lora hashes: "snow: 0123456789ab", ' +
  'Hashes: {"model":"0123456789","lora:snow":"0123456789ab"}, Version: ComfyUI';

/** With texts, with EXIF of both byte orders, with XMP, with all of it. */
function dressed(
  format: ImageFormat,
  bytes: Uint8Array,
  packet: string,
  graph: unknown,
  workflow: unknown,
): Uint8Array[] {
  const prompt = JSON.stringify(graph).replace(/[^ -~]/g, '?');
  const ascii = new Map([
    [0x010e, `prompt:${prompt}`],
    [
      0x010f,
      `workflow:${JSON.stringify(workflow)
        .replace(/[^ -~]/g, '?')
        .slice(0, 3_000)}`,
    ],
  ]);
  const exif = writeExif({ userComment: { text: INFOTEXT, encoding: 'unicode' }, ascii });
  const little = writeExif({
    base: Uint8Array.from('II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x04\0\0\0abc\0\0\0\0\0', (char) =>
      char.charCodeAt(0),
    ),
    userComment: { text: INFOTEXT, encoding: 'ascii' },
    ascii: new Map(),
  });
  const texts = new Map([
    ['parameters', INFOTEXT],
    ['prompt', prompt],
    ['workflow', JSON.stringify(workflow)],
    ['lineage', '{"lineage":1}'],
  ]);
  const all = {
    exif,
    xmp: packet,
    ...(format === 'png' && { texts }),
    ...(format === 'jpeg' && { comment: Buffer.from(INFOTEXT) }),
  };
  return [{ exif }, { exif: little }, { xmp: packet }, all].map((change) => spliceContainer(bytes, change));
}

function readDocuments(folder: string, name: string): unknown[] {
  return readdirSync(new URL(folder, FIXTURES), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((each): unknown => JSON.parse(readFileSync(new URL(`${folder}${each}/${name}`, FIXTURES), 'utf8')));
}

function wordsOf(): string[] {
  const words = new Set<string>([...META_FIELDS, ...NORMALISERS, ...ROLES, ...STREAMS]);
  for (const { nodes } of rulePacks) for (const name of Object.keys(nodes)) words.add(name);
  return [...words];
}

const RULE_TEXTS = [
  `version: 1
pack: mine
nodes:
  My Loader: # a comment
    role: loader
    puts: [model, conditioning, vae]
    reads:
      MODEL_NAME: { input: ckpt_name }
      VAE_NAME: &vae
        - { input: vae_name }
  "My Sampler":
    role: sampler
    takes: { model: model, positive: positive, negative: negative, latent_image: latent }
    puts: [latent]
    reads:
      SEED: { input: seed }
      STEPS: { input: steps, if: { input: on, is: true } }
      VAE_NAME: *vae
`,
  '{"version": 1,\n "nodes": {"X": {"role": "value", "reads": {"SEED": {"input": "a"}}}}}\n',
];
