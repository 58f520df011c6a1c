import { stringifyAscii } from '../kit/exact-json.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { CarriedMetadata } from './carried.ts';
import { GENERATED_BY_MODEL } from './digital-source.ts';
import type { FileMetadata } from './file-metadata.ts';
import { GENERATOR } from './generator.ts';
import { type Detail, isBuiltIn, type Parameters, parseInfotext } from './infotext.ts';
import type { Learnt } from './learn.ts';
import { type ParameterOptions, toParameters } from './parameters.ts';
import { readRecord } from './read-record.ts';
import { type RecordData, toRecord } from './record.ts';
import type { Resources } from './resolve.ts';

/** What goes into a file beside what the graph tells. */
export type WriteUpOptions = ParameterOptions & {
  /** The prompt graph and the workflow to embed, parsed; absent: none is embedded. API clients send no workflow. */
  readonly graphs?: { readonly prompt: unknown; readonly workflow?: unknown };
  /** What the source of a picture that only passes through says of itself. */
  readonly source?: CarriedMetadata;
  /** Whether a picture that samplers made says so, in IPTC's vocabulary. Default true. */
  readonly digitalSource?: boolean;
  /** Whether the record holds all hashes of each file, or AutoV2 alone. Default true. */
  readonly hashDetail?: boolean;
};

/** What one file is to carry, and the record in it as data. */
export type WrittenUp = { readonly metadata: FileMetadata; readonly record: RecordData };

/**
 * Everything known of a picture in the forms that a file carries: the infotext for people and sites, the record for
 * us, the graphs to make it again.
 *
 * For a picture that only passes through, what its source says stays true and takes the place of what this graph
 * could say; parts that the source lacks, and the user's own keys, come from here.
 */
export function writeUp(
  learnt: Learnt,
  resources: Resources,
  options: WriteUpOptions,
  warn: WarningSink,
): WrittenUp {
  const { size, batch, graphs } = options;
  const own = toParameters(learnt, resources, options, warn);
  const ownRecord = toRecord(learnt, resources, {
    generator: GENERATOR,
    ...(size && { size }),
    ...(batch && { batch }),
    hashDetail: options.hashDetail !== false,
  });
  const source = learnt.picture.source ? (options.source ?? {}) : {};
  const sourceRecord = source.record === undefined ? undefined : readRecord(source.record, warn);
  const record = sourceRecord ?? ownRecord;
  const prompt = graphs && (source.prompt ?? stringifyAscii(graphs.prompt));
  const workflow = graphs && (source.workflow ?? asJson(graphs.workflow));
  const made = learnt.samplers.length > 0 ? GENERATED_BY_MODEL : undefined;
  const digitalSource = options.digitalSource === false ? undefined : (source.digitalSource ?? made);
  return {
    metadata: {
      parameters: source.parameters === undefined ? own : withOwnKeys(parseInfotext(source.parameters), own),
      record: stringifyAscii(record),
      ...(prompt !== undefined && { prompt }),
      ...(workflow !== undefined && { workflow }),
      ...(digitalSource !== undefined && { digitalSource }),
    },
    record,
  };
}

function asJson(value: unknown): string | undefined {
  return value === undefined ? undefined : stringifyAscii(value);
}

/** The source's text with the keys that the user adds now, which win over keys of the same name. */
function withOwnKeys(source: Parameters, own: Parameters): Parameters {
  const added = own.details.filter(({ key }) => !isBuiltIn(key));
  const names = new Set(added.map(({ key }) => key));
  const kept = source.details.filter(({ key }) => !names.has(key));
  const version = kept.findIndex(({ key }) => key === 'Version');
  const details: Detail[] = kept.toSpliced(version < 0 ? kept.length : version, 0, ...added);
  return { ...source, details };
}
