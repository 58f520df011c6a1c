import { packSegments, unpackSegments } from '../formats/packed-segments.ts';
import { LineageError } from '../kit/errors.ts';
import { isRecord } from '../kit/is-record.ts';

/** JSON of the graphs of a picture, as they would stand in its EXIF. */
export type GraphTexts = { readonly prompt?: string; readonly workflow?: string };

/**
 * The graphs as segments of a JPEG whose EXIF has no room for them: `{"prompt": "…", "workflow": "…"}`, each a text, so
 * that numbers and spelling come back as they were. Undefined where there are none, or they are too long.
 */
export function packGraphs({ prompt, workflow }: GraphTexts): readonly Uint8Array[] | undefined {
  if (prompt === undefined && workflow === undefined) return undefined;
  return packSegments(new TextEncoder().encode(JSON.stringify({ prompt, workflow })));
}

/**
 * The graphs that such segments hold.
 *
 * @throws LineageError `jpeg/packed`
 */
export function unpackGraphs(segments: readonly Uint8Array[]): GraphTexts & { readonly sha256: string } {
  const { bytes, sha256 } = unpackSegments(segments);
  const graphs = parse(new TextDecoder().decode(bytes));
  const { prompt, workflow } = graphs;
  return {
    ...(typeof prompt === 'string' && { prompt }),
    ...(typeof workflow === 'string' && { workflow }),
    sha256,
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new LineageError('jpeg/packed', 'expected a JSON object of graphs, got something else');
}
