import type { RuleText } from './lint-rule.ts';

/** What concerns the file itself, whoever reads it, by name. */
export const FILE_RULES = {
  'no-metadata': {
    id: 'M001',
    severity: 'note',
    reason: 'The picture carries neither a parameters text nor a graph.',
    action: 'Write it with `lineage tag --prompt GRAPH.json`.',
  },
  'damaged-chunk': {
    id: 'M002',
    severity: 'error',
    reason: 'A text chunk is damaged: its text is lost to every reader.',
    action: 'Write the picture anew from an undamaged copy.',
  },
  'damaged-exif': {
    id: 'M003',
    severity: 'error',
    reason: 'The EXIF block is damaged: what it held is lost.',
    action: 'Strip the picture and tag it again.',
  },
  'damaged-xmp': {
    id: 'M004',
    severity: 'warning',
    reason: 'The XMP packet is damaged: programs that read XMP find nothing in it.',
    action: 'Strip the picture and tag it again.',
  },
  'comment-only': {
    id: 'M005',
    severity: 'error',
    reason: 'The text stands only in a JPEG comment, which A1111 and Forge alone read.',
    action: 'Allow a larger EXIF budget and tag it again.',
  },
  'text-cut': {
    id: 'M006',
    severity: 'warning',
    reason: 'A budget left parts of the text out when the file was written.',
    action: 'Save with a larger EXIF budget, or as PNG.',
  },
  'graph-damaged': {
    id: 'M007',
    severity: 'error',
    reason: 'An embedded graph is no JSON: the picture cannot be made again from it.',
    action: 'Tag it again with `--prompt GRAPH.json`.',
  },
  'conflicting-texts': {
    id: 'M008',
    severity: 'warning',
    reason: 'Two texts of one keyword differ: readers take the first or the last.',
    action: 'Write it anew with `lineage tag`, which keeps one.',
  },
  unreadable: {
    id: 'M009',
    severity: 'error',
    reason: 'The file cannot be read as a picture: it is cut off, damaged or of another format.',
    action: 'Get a fresh copy.',
  },
  signed: {
    id: 'M010',
    severity: 'note',
    reason: 'The picture carries a C2PA manifest: changing the file breaks its signature.',
    action: 'Change a copy, and keep the signed file.',
  },
  'origin-not-marked': {
    id: 'M011',
    severity: 'note',
    reason: 'Nothing in XMP says that a model made the picture, as the EU AI Act asks.',
    action: 'Write it anew with `lineage tag`, which adds the IPTC mark.',
  },
  'no-graph': {
    id: 'M012',
    severity: 'note',
    reason: 'The picture carries no prompt graph: it cannot be made again from the file alone.',
    action: 'Tag it with `--prompt GRAPH.json` if you have it.',
  },
} as const satisfies Readonly<Record<string, RuleText>>;
