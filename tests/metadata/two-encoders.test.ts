import { expect, test } from 'vitest';
import { IMAGE_FORMATS } from '../../nodes/kit/values.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { embedMetadata } from '../../nodes/metadata/embed.ts';
import { meantBy } from '../../nodes/metadata/meant.ts';
import { a1111 } from '../../nodes/metadata/readers/a1111.ts';
import { civitai } from '../../nodes/metadata/readers/civitai.ts';
import { viewFile } from '../../nodes/metadata/readers/view.ts';
import { makeReceipt } from '../../nodes/metadata/receipt.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { writeUp } from '../../nodes/metadata/write-up.ts';
import { makeImage } from '../formats/samples.ts';
import { chain, kSampler, learnGraph, node } from './graphs.ts';
import { literalModels } from './model-store.ts';

/** What the two text encoders of a Flux model are given; the colon and comma are those that other savers stumble on. */
const T5 = 'A grey heron (standing:1.2), in shallow water at dawn.\nMist over the reeds.';
const CLIP = 'heron, dawn, mist';

/**
 * Neither A1111 nor Civitai has a place for two texts. Labels would be read as words of the prompt, so both texts
 * follow each other, that of T5 first; the record names which is which.
 */
test.each(IMAGE_FORMATS)(
  'in %s both texts are the prompt, without labels, for every reader',
  async (format) => {
    const base = chain(kSampler('k', 9));
    const pos = node('CLIPTextEncodeFlux', { t5xxl: T5, clip_l: CLIP, guidance: 3.5, clip: ['ckpt', 1] });
    const { learnt } = learnGraph({ ...base, pos });
    const { warn, list } = createWarningLog();
    const resources = await resolveResources(learnt, literalModels([]), () => {});
    const { metadata, record } = writeUp(learnt, resources, { size: { width: 13, height: 9 } }, warn);
    const embedded = embedMetadata(await makeImage(format), { ...metadata, maxExifBytes: 60 * 1024 }, warn);
    const view = viewFile(embedded.bytes);
    for (const reader of [civitai, a1111])
      expect(reader.read(view).sees?.positive, reader.id).toBe(`${T5}\n${CLIP}`);
    const receipt = makeReceipt(embedded.bytes, meantBy(metadata, embedded));
    for (const { reader, loses } of receipt)
      expect(
        loses.filter(({ what }) => what === 'positive' || what === 'negative'),
        reader,
      ).toEqual([]);
    const values = (field: string) =>
      record.fields.filter((each) => each.field === field).map(({ value }) => value);
    expect([values('T5_PROMPT'), values('CLIP_PROMPT')]).toEqual([[T5], [CLIP]]);
    expect(list).toEqual([]);
  },
);
