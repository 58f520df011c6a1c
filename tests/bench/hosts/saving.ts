import { atMost, type Measurement, median } from '../measure.ts';
import { node, saveEight } from './graphs.ts';
import { nodeTimes, openSession } from './session.ts';

const RUNS = 7;

/** Eight pictures of 1024x1024 as PNG with the prompt in them: our save node beside ComfyUI's own, turn by turn. */
export async function measureSaving(url: string): Promise<readonly Measurement[]> {
  return [...(await savePictures(url, 'photo')), ...(await savePictures(url, 'flat'))];
}

async function savePictures(url: string, kind: 'photo' | 'flat'): Promise<readonly Measurement[]> {
  const session = await openSession(url);
  const savers = {
    ours: node('LineageSaveImage', {
      filename_prefix: 'ours',
      file_format: 'png',
      sampler_selection_method: 'range',
    }),
    core: node('SaveImage', { filename_prefix: 'core' }),
  };
  const found = { ours: [] as number[], core: [] as number[] };
  for (let run = 0; run <= RUNS; run++) {
    for (const saver of ['ours', 'core'] as const) {
      const messages = await session.run(saveEight(savers[saver], kind, run));
      const [ms] = nodeTimes(messages, new Set(['save']));
      if (run > 0 && ms !== undefined) found[saver].push(ms);
    }
  }
  session.close();
  return [
    { name: `ComfyUI: 8 PNG of 1024x1024, ${kind}, SaveImage, p50`, value: median(found.core), unit: 'ms' },
    {
      name: `ComfyUI: 8 PNG of 1024x1024, ${kind}, LineageSaveImage, p50`,
      value: median(found.ours),
      unit: 'ms',
    },
    atMost(
      `ComfyUI: ${kind}, LineageSaveImage over SaveImage`,
      median(found.ours) / median(found.core),
      'x',
      1,
    ),
  ];
}
