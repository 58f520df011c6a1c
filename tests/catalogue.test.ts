import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from '../bridge/build/generate.ts';
import { toManifest } from '../bridge/comfyui/manifest.ts';
import { nodeDefinitions } from '../nodes/index.gen.ts';
import { ERRORS } from '../nodes/kit/errors.ts';
import { IMAGE_FORMATS, MODEL_FOLDERS } from '../nodes/kit/values.ts';
import { WARNINGS } from '../nodes/kit/warnings.ts';
import { TRAILING_KEYS } from '../nodes/metadata/infotext.ts';
import { READERS } from '../nodes/metadata/readers/index.ts';
import { RECORD_VERSION, recordSchema } from '../nodes/metadata/record.ts';
import { RECORD_KEYWORD, RECORD_XMP } from '../nodes/metadata/record-places.ts';
import { STAGES } from '../nodes/metadata/stages.ts';
import { META_FIELDS, NORMALISERS, ROLES, STREAMS } from '../rules/define.ts';
import { rulePacks } from '../rules/index.gen.ts';
import { findUndocumented } from './house/docblocks.ts';
import { readSources, readText } from './house/sources.ts';
import { readTable } from './house/tables.ts';
import { findUses } from './house/uses.ts';

const manifest: {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
} = JSON.parse(readText('package.json'));

describe('generated files are what the generator writes', () => {
  test.each([...generatedFiles()])('%s', (path, content) => {
    expect(readText(path), 'run: npm run generate').toBe(content);
  });

  test('every pack and every generated file on disk is among them', () => {
    const packs = readdirSync(new URL('../rules/packs/', import.meta.url)).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(rulePacks.map(({ pack }) => `${pack}.ts`).sort()).toEqual(packs.sort());
    const generated = ['rules', 'nodes', 'bridge'].flatMap((ring) =>
      readdirSync(new URL(`../${ring}/`, import.meta.url), { recursive: true })
        .map((name) => `${ring}/${name}`)
        .filter((path) => path.includes('.gen.')),
    );
    const written = [...generatedFiles().keys()].filter((path) => path.includes('.gen.'));
    expect(written.sort()).toEqual(generated.sort());
  });
});

// A name that left the house cannot be changed: a new snapshot here needs a line in CHANGELOG.md.
describe('names are promises', () => {
  test('fields, in their order', () => {
    expect(META_FIELDS.join(' ')).toMatchInlineSnapshot(
      `"MODEL_NAME MODEL_HASH VAE_NAME VAE_HASH POSITIVE_PROMPT NEGATIVE_PROMPT CLIP_SKIP SEED STEPS CFG SAMPLER_NAME SCHEDULER GUIDANCE DENOISE CLIP_MODEL_NAME WEIGHT_DTYPE IMAGE_WIDTH IMAGE_HEIGHT MAX_SHIFT BASE_SHIFT T5_PROMPT CLIP_PROMPT SHIFT EMBEDDING_NAME EMBEDDING_HASH LORA_MODEL_NAME LORA_MODEL_HASH LORA_STRENGTH_MODEL LORA_STRENGTH_CLIP END_STEP START_STEP CONTROLNET_NAME CONTROLNET_STRENGTH UPSCALE_MODEL_NAME SCALE_BY CLIP_VISION_NAME STYLE_MODEL_NAME HYPERNETWORK_NAME HYPERNETWORK_STRENGTH BATCH_SIZE FRAME_COUNT FRAME_RATE SOURCE_IMAGE"`,
    );
  });

  test('the words of rules', () => {
    expect({
      streams: STREAMS.join(' '),
      roles: ROLES.join(' '),
      normalisers: NORMALISERS.join(' '),
    }).toMatchInlineSnapshot(`
      {
        "normalisers": "clip-skip width-of height-of sigma-count split-at-denoise without-lora-tags",
        "roles": "sampler guider scheduler loader encoder combiner switch passthrough pipe string value latent image patch source saver preview",
        "streams": "model clip vae positive negative latent image noise sampler sigmas guider control upscale reference value",
      }
    `);
  });

  test('nodes, their inputs and outputs', () => {
    expect(
      nodeDefinitions.map(({ id, category, inputs, outputs }) => ({
        id,
        category,
        inputs: Object.keys(inputs).join(' '),
        outputs: Object.entries(outputs).map(([name, { type }]) => `${name}: ${type}`),
      })),
    ).toMatchInlineSnapshot(`
      [
        {
          "category": "lineage/merge",
          "id": "LineageBlockWeights",
          "inputs": "architecture blocks param rest",
          "outputs": [
            "blocks: LINEAGE_BLOCK_WEIGHTS",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageLoraMerge",
          "inputs": "lora_name strength merge vae step more",
          "outputs": [
            "merge: LINEAGE_MERGE",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageMergeReport",
          "inputs": "report",
          "outputs": [
            "text: STRING",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageMergeSource",
          "inputs": "model_name more",
          "outputs": [
            "merge: LINEAGE_MERGE",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageMergeStep",
          "inputs": "definition result merge1 merge2 merge3 merge4",
          "outputs": [
            "merge: LINEAGE_MERGE",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageMerge",
          "inputs": "method params weights model1 model2 model3 model4 model5 model6 model7 model8 base vae blocks step more",
          "outputs": [
            "merge: LINEAGE_MERGE",
          ],
        },
        {
          "category": "lineage/merge",
          "id": "LineageRunPipeline",
          "inputs": "output_name precision manifest merge also1 also2 also3",
          "outputs": [
            "model: MODEL",
            "clip: CLIP",
            "vae: VAE",
            "name: STRING",
            "report: LINEAGE_MERGE_REPORT",
          ],
        },
        {
          "category": "lineage/metadata",
          "id": "LineageExtraMetadata",
          "inputs": "key1 value1 key2 value2 key3 value3 key4 value4 extra_metadata",
          "outputs": [
            "extra_metadata: LINEAGE_EXTRA_METADATA",
          ],
        },
        {
          "category": "lineage/rules",
          "id": "LineageRuleScanner",
          "inputs": "mode missing_only exclude force",
          "outputs": [
            "rules: STRING",
            "diff: STRING",
          ],
        },
        {
          "category": "lineage/rules",
          "id": "LineageRulesSave",
          "inputs": "rules mode replace_conflicts backup keep_backups restore",
          "outputs": [
            "status: STRING",
          ],
        },
        {
          "category": "lineage/rules",
          "id": "LineageRulesView",
          "inputs": "find",
          "outputs": [
            "text: STRING",
          ],
        },
        {
          "category": "lineage/metadata",
          "id": "LineageSaveImage",
          "inputs": "images filename_prefix file_format sampler_selection_method sampler_selection_node_id max_samplers quality lossless_webp max_jpeg_exif_kb add_counter_to_filename save_workflow_image save_workflow_json save_record_json civitai_sampler guidance_as_cfg include_lora_summary lora_strengths_in_prompt suppress_missing_class_log model_hash_log receipt digital_source_type extra_metadata",
          "outputs": [
            "images: IMAGE",
          ],
        },
      ]
    `);
  });

  test('error codes', () => {
    expect(Object.keys(ERRORS).join('\n')).toMatchInlineSnapshot(`
      "graph/malformed
      graph/too-deep
      graph/unknown-node
      graph/no-save-node
      graph/several-save-nodes
      graph/unknown-sampler
      image/unknown-format
      image/undecodable
      image/shape
      png/malformed
      png/keyword
      png/text
      jpeg/malformed
      jpeg/segment-too-large
      jpeg/packed
      webp/malformed
      avif/malformed
      exif/malformed
      exif/not-ascii
      xmp/malformed
      safetensors/malformed
      safetensors/index
      safetensors/layout
      gguf/malformed
      gguf/truncated
      weights/gguf
      weights/pickle
      output/exists
      output/outside
      output/exhausted
      path/outside
      path/unsafe
      request/malformed
      request/too-large
      file/missing
      file/unreadable
      file/unwritable
      file/changed
      undo/changed
      undo/malformed
      undo/too-large
      models/not-a-folder
      ledger/unusable
      rules/malformed
      rules/no-backup
      rules/no-host
      option/invalid
      option/conflict
      nodes/unloadable
      nodes/duplicate
      nodes/wrong-input
      prompt/malformed
      panel/bad-request
      panel/unknown-route
      panel/too-large
      panel/no-graph
      recipe/malformed
      image/too-large
      builtin/input
      builtin/too-long
      builtin/shapes
      builtin/regex
      kernel/too-slow
      run/memory-short
      kernel/lost
      bridge/birth
      bridge/protocol
      bridge/unknown-node
      bridge/node-missing
      bridge/node-old
      bridge/node-setting
      bridge/not-installed
      bridge/no-start
      bridge/version
      bridge/lost
      bridge/hung
      bridge/value
      bridge/too-large
      exchange/name
      exchange/file
      exchange/full
      serve/exposed
      serve/port-taken
      serve/cannot-listen
      serve/data-in-use
      serve/store-unusable
      lora/not-finite
      lora/shape
      lora/incomplete
      lora/rank
      lora/config
      lora/embedding
      lora/embedding-mismatch
      merge/architecture
      merge/block-weights
      pipeline/malformed
      pipeline/duplicate-id
      pipeline/unknown-step
      pipeline/self-reference
      pipeline/cycle
      pipeline/hidden-step
      pipeline/no-result
      pipeline/no-score
      pipeline/no-output
      pipeline/output-is-input
      pipeline/same-output
      pipeline/architecture
      pipeline/keys
      pipeline/shapes
      pipeline/method
      pipeline/scaled
      pipeline/part
      pipeline/mode
      pipeline/from-step
      pipeline/disk-space
      explain/no-recipe
      rebuild/no-record
      rebuild/sources
      rebuild/differs
      merge/unknown-method
      merge/parameter
      merge/weights
      merge/no-direction
      merge/dtype
      merge/not-finite
      merge/memory
      merge/graph
      merge/no-host
      merge/busy
      strip/left-behind
      workflow/malformed
      workflow/recursive
      workflow/too-large
      workflow/object-info"
    `);
  });

  test('warning codes', () => {
    expect(Object.keys(WARNINGS).join('\n')).toMatchInlineSnapshot(`
      "graph/nan
      graph/malformed-node
      graph/dangling-link
      graph/cycle
      graph/unknown-class
      value/unresolved
      value/not-a-number
      value/wrong-type
      value/cut
      value/cleaned
      sampler/none
      sampler/half-range
      sampler/empty-range
      sampler/overlap
      sampler/capped
      rules/malformed
      rules/unreadable
      hint/ignored
      sampler/pin-ignored
      sampler/reference-only
      resource/missing
      resource/outside
      resource/recorded
      resource/unreadable
      resource/sidecar
      ledger/unusable
      embed/dropped
      embed/c2pa
      embed/replaced
      strip/unread
      strip/c2pa
      source/kept
      pipeline/unused-dependency
      pipeline/precision
      pipeline/keys
      pipeline/modules
      pipeline/scale
      pipeline/device
      pipeline/inference
      pipeline/markers
      pipeline/unfinished
      pipeline/journal
      workflow/converted
      workflow/malformed
      workflow/dangling-link
      workflow/cycle
      workflow/muted
      workflow/bypass
      workflow/unknown-class
      workflow/value
      workflow/default
      workflow/choice
      workflow/spelling"
    `);
  });

  test('stages, formats, model folders and readers', () => {
    expect({
      stages: STAGES.join(' '),
      formats: IMAGE_FORMATS.join(' '),
      folders: MODEL_FOLDERS.join(' '),
      readers: READERS.map(({ id }) => id).join(' '),
    }).toMatchInlineSnapshot(`
      {
        "folders": "checkpoints diffusion_models vae text_encoders loras embeddings controlnet upscale_models clip_vision style_models hypernetworks",
        "formats": "png jpeg webp avif",
        "readers": "civitai a1111 sd-prompt-reader comfyui sd-metadata image-metahub",
        "stages": "full reduced-exif minimal com-marker",
      }
    `);
  });

  test('where the record lies, and its members', () => {
    expect({
      keyword: RECORD_KEYWORD,
      xmp: RECORD_XMP,
      version: RECORD_VERSION,
      members: Object.keys(recordSchema.shape).join(' '),
      trailingKeys: TRAILING_KEYS.join(', '),
    }).toMatchInlineSnapshot(`
      {
        "keyword": "lineage",
        "members": "version generator saveNode samplers primary prompts size batch fields resources unknown dangling",
        "trailingKeys": "Civitai resources, Version, Samplers, Samplers detail, Metadata Fallback",
        "version": 1,
        "xmp": {
          "name": "record",
          "namespace": "urn:lineage-nodes:xmp:1.0/",
          "prefix": "lineage",
        },
      }
    `);
  });
});

describe('codes', () => {
  const uses = findUses(readSources('nodes', 'bridge'));

  const raised = new Set(
    readdirSync(new URL('../bridge/comfyui/', import.meta.url))
      .filter((name) => name.endsWith('.py'))
      .flatMap((name) => [
        ...readText(`bridge/comfyui/${name}`).matchAll(/LineageFailure\(\s*"([a-z]+\/[a-z-]+)"/g),
      ])
      .map(([, code]) => String(code)),
  );

  test.each(Object.keys(ERRORS))('error %s is thrown somewhere', (code) => {
    expect(raised.has(code) || uses.has(code)).toBe(true);
  });

  test('Python asks for the model folders that we look into', () => {
    const [, listed = ''] = /MODEL_FOLDERS = \(([^)]*)\)/.exec(readText('bridge/comfyui/comfy.py')) ?? [];
    const words = listed.replace(/"\s*"/g, '').replaceAll('"', '').trim().split(' ');
    expect(words).toEqual([...MODEL_FOLDERS]);
  });

  test('the manifest has the hints of the codes that Python raises', () => {
    expect(Object.keys(toManifest([]).hints).sort()).toEqual([...raised].sort());
  });

  test.each(Object.keys(WARNINGS))('warning %s is given somewhere', (code) => {
    expect(uses.get(code) ?? []).not.toEqual([]);
  });

  test('a code that is only declared, compared, asked for or mentioned is not thrown', () => {
    const text = [
      "// throw new LineageError('a/comment')",
      "const hints = { 'a/key': 1 };",
      "type Code = 'a/type';",
      "if (code === 'a/comparison') isLineageError(error, 'a/question');",
      "throw new LineageError('a/throw', 'message');",
      "warn(isDeep ? 'a/choice' : 'a/other', 'message');",
    ].join('\n');
    expect([...findUses([{ path: 'a.ts', text }]).keys()]).toEqual([
      'a/throw',
      'message',
      'a/choice',
      'a/other',
    ]);
  });
});

describe('README tells what the code holds', () => {
  const readme = readText('README.md');

  test('each error code with its hint, in the order of the code', () => {
    expect(readTable(readme, 'Errors', ['code', 'what to do'])).toEqual(Object.entries(ERRORS));
  });

  test('each warning code with what it says', () => {
    expect(readTable(readme, 'Errors', ['code', 'what it says'])).toEqual(Object.entries(WARNINGS));
  });

  test('each dependency', () => {
    const names = readTable(readme, 'Dependencies', ['package', 'why']).map(([name]) => name);
    const wanted = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(names.toSorted()).toEqual(wanted.toSorted());
  });

  test('a reason for each dependency', () => {
    for (const [name, why] of readTable(readme, 'Dependencies', ['package', 'why']))
      expect(why?.length, name).toBeGreaterThan(5);
  });

  test('a table is read up to its end, and only the one asked for', () => {
    const text =
      '## A\n| x | y |\n|---|---|\n| `1` | a \\| b |\n\n| x | y |\n|---|---|\n| 2 | c |\n## B\n| z |';
    expect(readTable(text, 'A', ['x', 'y'])).toEqual([['1', 'a | b']]);
    expect(() => readTable(text, 'B', ['x', 'y'])).toThrow('table');
    expect(() => readTable(text, 'C', ['x', 'y'])).toThrow('section');
  });
});

test('one version everywhere', () => {
  const changelog = [...readText('CHANGELOG.md').matchAll(/^## \[(\d+\.\d+\.\d+)\]/gm)][0]?.[1];
  const project = /^version = "(.+)"$/m.exec(readText('pyproject.toml'))?.[1];
  expect({ changelog, project }).toEqual({ changelog: manifest.version, project: manifest.version });
});

describe('what others call says what its types cannot', () => {
  test.each(readSources('nodes/kit', 'nodes/formats').map((source) => [source.path, source] as const))(
    '%s: a docblock on every export',
    (_, source) => {
      expect(findUndocumented(source)).toEqual([]);
    },
  );

  test('a docblock that is missing, plain or empty is noticed', () => {
    const text = [
      '/** Said. */\nexport function a() {}',
      'export function b() {}',
      '// Said.\nexport const c = 1;',
      '/* Said. */\nexport class D {}',
      '/** */\nexport type E = 1;',
      '/** Said. */\n\nexport const f = 1;',
      '/** Said. */\nconst g = 1;\nexport const h = 1;',
      '/** @internal */\nexport function i() {}',
      "export { a as j } from './a.ts';",
    ].join('\n');
    expect(findUndocumented({ path: 'a.ts', text })).toEqual(['b', 'c', 'D', 'E', 'h', 'i']);
  });
});
