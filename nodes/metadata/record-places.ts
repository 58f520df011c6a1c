import type { XmpProperty } from '../formats/xmp.ts';

/** Where the structured record lies. These names are permanent. */
export const RECORD_KEYWORD = 'lineage';
export const RECORD_XMP: XmpProperty = {
  namespace: 'urn:lineage-nodes:xmp:1.0/',
  prefix: 'lineage',
  name: 'record',
};

/** PNG texts that we write. */
export const OWN_KEYWORDS: ReadonlySet<string> = new Set([
  'parameters',
  'prompt',
  'workflow',
  RECORD_KEYWORD,
]);
