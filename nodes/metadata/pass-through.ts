import type { CarriedMetadata } from './carried.ts';
import type { FileMetadata } from './file-metadata.ts';
import { parseInfotext } from './infotext.ts';

/**
 * For a picture that only passes through: what its source says of how it was made stays true, so it takes the place
 * of what this graph could say. Parts that the source lacks come from this graph.
 */
export function takeOver(source: CarriedMetadata, own: FileMetadata, withGraphs: boolean): FileMetadata {
  const prompt = source.prompt ?? own.prompt;
  const workflow = source.workflow ?? own.workflow;
  return {
    parameters: source.parameters === undefined ? own.parameters : parseInfotext(source.parameters),
    record: source.record ?? own.record,
    ...(withGraphs && prompt !== undefined && { prompt }),
    ...(withGraphs && workflow !== undefined && { workflow }),
  };
}
