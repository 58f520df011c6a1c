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
  'path/outside': 'Name a file inside the folder, without "..", an absolute path or a link that leads out.',
  'path/unsafe': 'Use a plain name, without backslashes, colons, control characters or names of devices.',
  'request/malformed': 'Correct the body of the request; the message says what was expected.',
  'request/too-large': 'Send less, or start the server with a larger --max-upload-size.',
  'file/missing': 'Check the path.',
  'file/unreadable': 'Check the permissions of the file and its folders.',
  'file/unwritable': 'Check that the output folder exists, its permissions and its free space.',
  'models/not-a-folder': "Give a folder with ComfyUI's layout (checkpoints/, loras/, vae/ …).",
  'ledger/unusable': 'Delete the ledger file, or point LINEAGE_HOME at a folder you can write.',
  'option/invalid': 'Run the command with --help for what it takes.',
  'option/conflict': 'Give only one of the two.',
  'nodes/unloadable':
    'Give a folder of node files; each exports by default a node (GraphNode or defineNode) or a list of nodes.',
  'nodes/duplicate': 'Rename one of the two nodes: an id names one node.',
  'nodes/wrong-input':
    'Connect an output whose values fit what the input asks for: its type, and its range or menu.',
  'prompt/malformed':
    'Send the graph as "Save (API format)" writes it: node ids to nodes with class_type and inputs.',
  'panel/bad-request':
    'Name a file: filename, and subfolder and type (output, input or temp) where it needs them.',
  'panel/unknown-route': 'Reload the page; if that does not help, page and server are of different versions.',
  'panel/too-large': 'Read the file with `lineage inspect` instead.',
  'panel/no-graph': 'Use a picture that was saved with its workflow.',
  'image/too-large': 'Make the picture smaller: it would not fit into memory.',
  'builtin/input': 'Connect or type a value of the kind that the input shows.',
  'builtin/too-long': 'Shorten the text; nodes work on a few million characters.',
  'builtin/shapes': 'Give pictures that fit together: of one size and one number of channels.',
  'builtin/regex':
    'Correct the regular expression; possessive and conditional groups of Python are not supported.',
  'kernel/too-slow':
    'Simplify what is asked for; a regular expression with nested repeats can take for ever.',
  'run/memory-short':
    'Use fewer or smaller pictures, POST /free, or start the server with --cache ram:2 or --cache none.',
  'kernel/lost': 'The thread that computed this ended; queue the prompt again.',
  'bridge/birth': 'ComfyUI starts this program by itself; there is nothing to start by hand.',
  'bridge/protocol':
    'Restart ComfyUI. If it comes again, install the pack anew: its two sides are of different versions.',
  'bridge/unknown-node': 'Restart ComfyUI; if it comes again, install the pack anew.',
  'bridge/node-missing':
    'Install Node.js 24 or newer (https://nodejs.org), or set LINEAGE_NODE to its program, and queue again. Nothing else has to be installed.',
  'bridge/node-old': 'Install Node.js 24 or newer (https://nodejs.org), or set LINEAGE_NODE to its program.',
  'bridge/node-setting': 'Correct LINEAGE_NODE, or the file of settings that is named here.',
  'bridge/not-installed':
    'Run `npm ci` in this folder, or install the pack from the Comfy Registry, which needs no npm.',
  'bridge/no-start': 'Look for lines that begin with [lineage] in the log just above; they say why.',
  'bridge/version': 'Restart ComfyUI. If it comes again, install the pack anew.',
  'bridge/lost':
    'Queue again: the next run starts it anew. The lines of the log that begin with [lineage] say more.',
  'bridge/hung': 'Queue again: the next run starts it anew. If it comes again, please report it.',
  'bridge/value': 'Connect a value that is plain data: texts, numbers, lists.',
  'bridge/too-large': 'Make the workflow smaller, or save in several graphs.',
  'exchange/name': 'Restart ComfyUI; if it comes again, please report it.',
  'exchange/file': 'Run the graph again; if it comes again, please report it.',
  'exchange/full':
    'Free some space in /dev/shm and in the folder for temporary files, or make smaller batches.',
  'serve/exposed': 'Set a token (LINEAGE_TOKEN or --token-file), or listen on 127.0.0.1 only.',
  'serve/port-taken': 'Choose another --port, or end the program that listens there.',
  'serve/cannot-listen':
    'Check --listen and --port: an address of this machine, and a port that you may use.',
  'serve/data-in-use': 'Give each server a --user folder of its own, or end the other one.',
  'serve/store-unusable':
    'Check the permissions and the free space; or move the file away, and its queue and history with it.',
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
