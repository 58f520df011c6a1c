import { Command } from 'commander';
import { readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { describeDiff } from '../../nodes/metadata/diff/describe-diff.ts';
import { type Comparable, diffPictures } from '../../nodes/metadata/diff/diff-pictures.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { readFileChecked } from '../local/read-file.ts';
import type { CommandContext } from './command-context.ts';
import { graphOfImage, MAX_IMAGE_BYTES, readGraphFile } from './graph-source.ts';
import { inFile } from './json-file.ts';
import { noteWarnings } from './terminal.ts';

type DiffOptions = { readonly objectInfo?: string; readonly json?: boolean };

/** `lineage diff A B`: why two pictures differ. */
export function diffCommand({ terminal, noteFinding }: CommandContext): Command {
  return new Command('diff')
    .description(
      'say why two pictures or graphs differ: fields, words of the prompts, nodes by their place in the graph; status 4 if they do',
    )
    .argument('<first>', 'a picture, a prompt graph or a workflow')
    .argument('<second>', 'another one')
    .option('--object-info <file>', "classes to read a workflow by (default: ComfyUI's own)")
    .option('--json', 'print one JSON document')
    .action(async (first: string, second: string, { objectInfo, json }: DiffOptions) => {
      const { warn, list: warnings } = createWarningLog();
      const [a, b] = [
        await readComparable(first, warn, objectInfo),
        await readComparable(second, warn, objectInfo),
      ];
      const diff = diffPictures(a, b);
      if (!diff.same) noteFinding();
      terminal.print(
        json ? JSON.stringify({ first, second, ...diff, warnings }) : describeDiff(diff).join('\n'),
      );
      if (!json) noteWarnings(warnings, terminal);
    });
}

async function readComparable(
  file: string,
  warn: WarningSink,
  objectInfo: string | undefined,
): Promise<Comparable> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  if (detectImageFormat(bytes) === undefined) {
    const { prompt } = await readGraphFile(file, warn, objectInfo);
    return { graph: inFile(file, () => parsePromptGraph(prompt, warn)) };
  }
  const container = inFile(file, () => readContainer(bytes));
  const { parameters, prompt, workflow } = readCarried(container);
  const { format, width, height } = container;
  const hasGraph = prompt !== undefined || workflow !== undefined;
  const source = hasGraph ? await graphOfImage(container, file, warn, objectInfo) : undefined;
  return {
    picture: { format, size: `${width}x${height}` },
    ...(parameters !== undefined && { parameters }),
    ...(source && { graph: inFile(file, () => parsePromptGraph(source.prompt, warn)) }),
  };
}
