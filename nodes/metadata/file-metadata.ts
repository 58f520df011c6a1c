import type { Parameters } from './infotext.ts';

/** What one file is to carry, before a format decides where. */
export type FileMetadata = {
  readonly parameters: Parameters;
  /** ASCII JSON of the prompt graph and of the workflow. */
  readonly prompt?: string;
  readonly workflow?: string;
  /** ASCII JSON of the structured record. */
  readonly record: string;
  /** IPTC's address for how the picture came to be; absent: nothing is said. */
  readonly digitalSource?: string;
};
