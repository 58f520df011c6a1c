/** Every way the pack can fail on purpose, and what the reader should do next. README lists the same table. */
export const ERRORS = {
  'graph/malformed':
    'Give the prompt graph itself (in ComfyUI: "Save (API format)", for tag with --prompt), or a picture that embeds it.',
  'graph/too-deep': 'The document nests deeper than any prompt graph; check that the right file was given.',
  'graph/unknown-node': 'Use a node id of this prompt graph; `lineage trace` lists the saving nodes.',
  'graph/no-save-node':
    'Name the node to trace from with --node; the graph has no node that saves a picture.',
  'graph/several-save-nodes': 'Name one of them with --node.',
  'graph/unknown-sampler': 'Use the id of a sampler of this graph; `lineage trace` lists them.',
  'image/unknown-format': 'Give a PNG, JPEG, WebP or AVIF file.',
  'image/undecodable': 'The picture is damaged or of a kind that cannot be read; open and save it anew.',
  'image/shape':
    'Give samples of shape [height, width, channels] with 1, 3 or 4 channels, 1 to 16384 pixels a side.',
  'png/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'png/keyword':
    'PNG keywords are 1 to 79 Latin-1 characters without leading or trailing spaces; rename the field.',
  'png/text': 'PNG text cannot hold NUL; remove the character.',
  'jpeg/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'jpeg/segment-too-large':
    'A JPEG segment holds at most 65,533 bytes; lower the budget or shorten the text.',
  'webp/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'avif/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'exif/malformed': 'The EXIF block is damaged; strip it from the picture and tag it again.',
  'exif/not-ascii':
    'EXIF text fields hold ASCII without NUL; escape the text as JSON does, or write it as Unicode.',
  'xmp/malformed': 'The XMP packet is damaged; strip it from the picture and tag it again.',
  'output/exists': 'Pass --force to replace the file, or choose another name.',
  'output/outside':
    'Choose a name inside the output folder, without "..", an absolute path or a link that leads out.',
  'output/exhausted': 'The folder holds every counter up to 99999999 for this prefix; choose another prefix.',
  'file/missing': 'Check the path.',
  'file/unreadable': 'Check the permissions of the file and its folders.',
  'file/unwritable': 'Check that the output folder exists, its permissions and its free space.',
  'models/not-a-folder': "Give a folder with ComfyUI's layout (checkpoints/, loras/, vae/ …).",
  'ledger/unusable': 'Delete the ledger file, or point LINEAGE_HOME at a folder you can write.',
  'option/invalid': 'Run the command with --help for what it takes.',
  'option/conflict': 'Give only one of the two.',
} as const;

/** A code of `ERRORS`: closed, and never renamed once released. */
export type ErrorCode = keyof typeof ERRORS;

/** Where it went wrong: only what helps to find the spot. */
export type Where = {
  readonly node?: string;
  readonly input?: string;
  readonly file?: string;
  /** Offset in bytes from the start of the file or block. */
  readonly byte?: number;
  readonly option?: string;
};

/** An expected failure. Anything else that is thrown is a bug in this pack. */
export class LineageError extends Error {
  override readonly name = 'LineageError';
  readonly code: ErrorCode;
  /** What to do next. */
  readonly hint: string;
  readonly where: Where;

  /** @param message what was expected and what came, one line. */
  constructor(code: ErrorCode, message: string, where: Where = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = ERRORS[code];
    this.where = where;
  }
}

/** Whether something caught is an expected failure, and this one where a code is given. */
export function isLineageError(value: unknown, code?: ErrorCode): value is LineageError {
  return value instanceof LineageError && (code === undefined || value.code === code);
}
