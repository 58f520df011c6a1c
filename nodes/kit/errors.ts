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
  'jpeg/packed':
    'The compressed graphs in the picture are damaged or incomplete; look for an untouched copy. The rest can be read.',
  'webp/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'avif/malformed': 'The file is truncated or damaged; get a fresh copy.',
  'exif/malformed': 'The EXIF block is damaged; strip it from the picture and tag it again.',
  'exif/not-ascii':
    'EXIF text fields hold ASCII without NUL; escape the text as JSON does, or write it as Unicode.',
  'xmp/malformed': 'The XMP packet is damaged; strip it from the picture and tag it again.',
  'safetensors/malformed': 'The file is truncated, damaged or no safetensors file; get a fresh copy.',
  'safetensors/index':
    'The shards and their index do not belong together; get all files of the model from one place.',
  'safetensors/layout': 'Rename the tensor, or correct its shape: no reader would take it as it is.',
  'gguf/malformed': 'The file is damaged or no GGUF file; get a fresh copy.',
  'gguf/truncated':
    'The file goes on, or was cut, before its tensors begin; read more of it, or get a fresh copy.',
  'weights/gguf':
    'Give the safetensors file that the GGUF file was made from; "lineage inspect" shows what the file holds.',
  'weights/pickle':
    'Pickled checkpoints can run any program when they are opened. Convert the file to safetensors, and give that.',
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
  'file/changed': 'Run it again when no other program writes to that file.',
  'undo/changed':
    'The file stays as it is. Where its old state matters, look for a backup: undo would lose what came since.',
  'undo/malformed': 'Give the journal that `lineage tag` named, unchanged.',
  'undo/too-large': 'Tag this picture with --out, which leaves it as it is.',
  'models/not-a-folder': "Give a folder with ComfyUI's layout (checkpoints/, loras/, vae/ …).",
  'ledger/unusable': 'Delete the ledger file, or point LINEAGE_HOME at a folder you can write.',
  'rules/malformed':
    'Correct the rules at the place named; `lineage rules lint` says more, rules/README.md has all words.',
  'rules/no-backup': 'Use the name of a backup that the message lists, or "newest".',
  'rules/no-host': 'Run the graph in ComfyUI or in `lineage serve`: there is a folder for rules.',
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
  'recipe/malformed': 'Give the recipe as its tool wrote it; the message names the line or the key.',
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
  'lora/not-finite':
    'The weights hold NaN or infinity; get a fresh copy of the file, or leave that module out.',
  'lora/shape':
    'The adapter does not fit the weight it names; check that it was made for this kind of model.',
  'lora/incomplete': 'A tensor that this adapter needs is missing from the file; get a fresh copy.',
  'lora/rank': 'Choose a rank of at least 1, and a share or error between 0 and 1.',
  'lora/config': 'Correct the adapter_config.json: it must be as PEFT writes it.',
  'lora/embedding':
    'Give a textual inversion for SD 1, SD 2 or SDXL as a .safetensors file or a plain tensor table.',
  'lora/embedding-mismatch':
    'Merge embeddings of one kind of model and, for a weighted sum, of as many vectors; or join their tokens.',
  'merge/architecture':
    'Name the architecture as the message lists them, or leave it out: it is recognised by the tensors.',
  'merge/block-weights':
    'Give one weight a block in their order, the name of a preset, or pairs such as IN00-IN05=0.3, OUT08=1.',
  'pipeline/malformed': 'Correct the manifest at the place named; its format is published as a JSON Schema.',
  'pipeline/duplicate-id': 'Give each step an id of its own.',
  'pipeline/unknown-step': 'Use the id of a step of this manifest.',
  'pipeline/self-reference': 'A step cannot use its own result; name an earlier step or a file.',
  'pipeline/cycle': 'Steps cannot wait for each other in a circle; take one of the references out.',
  'pipeline/hidden-step':
    'Inside if, loop and optimize only the result as a whole can be used: name the outer step.',
  'pipeline/no-result': 'Name a step whose result is a model.',
  'pipeline/no-score': 'Name a validate or analysis step.',
  'pipeline/no-output': 'Give the step an output with a path: no later step uses its result.',
  'pipeline/output-is-input':
    'Choose another path for the output: it would replace a file that the pipeline reads.',
  'pipeline/same-output': 'Give each step an output path of its own.',
  'pipeline/architecture':
    'Models of one step must be of one architecture, and of the one that the manifest says.',
  'pipeline/keys':
    'Say with "missing" what to do: base, skip or renormalise. With "prune", what training left behind is left out.',
  'pipeline/shapes': 'Merge models of one kind: tensors of different shapes are never stretched to fit.',
  'pipeline/method':
    'Use a method, parameters and numbers of models as `lineage merge --list-methods` shows them.',
  'pipeline/scaled': 'Use the model in fp16 or bf16: scaled fp8 weights cannot be merged as they are.',
  'pipeline/part': 'Check that the file is the kind of model that this step takes apart or puts together.',
  'pipeline/mode': 'Run it with --staged, or let the intermediate results be temporary.',
  'pipeline/from-step':
    'Run it without --from-step: what is missing is then made again, and what is there is used.',
  'pipeline/disk-space': 'Free some space, or write the output to another disk.',
  'explain/no-recipe':
    'Only merged models tell where they come from, and only those whose tool wrote it into the file.',
  'rebuild/no-record':
    'Only files that Lineage merged can be made again; `lineage explain` shows what other tools wrote down.',
  'rebuild/sources':
    'Give further folders with --models; sources are found by their contents, whatever they are called.',
  'rebuild/differs': 'Rebuild it with the version of Lineage that the message names.',
  'merge/unknown-method': 'Use the id of a merge method, as `lineage merge --list-methods` shows them.',
  'merge/parameter': 'Correct that parameter of the merge; the message says what was expected.',
  'merge/weights':
    'Choose other weights: this method divides by their sum, and a mean on a sphere takes none below 0.',
  'merge/no-direction':
    'The models cancel each other out there; choose other weights or another method for that tensor.',
  'merge/dtype':
    'Integers and packed numbers are copied, never computed with: leave such tensors out of the merge.',
  'merge/not-finite':
    'Get a fresh copy of the model, or choose what to do with such numbers: keep them, or take zero.',
  'merge/memory': 'Allow more memory, or choose a method that works tile by tile.',
  'merge/graph': 'Correct the input of the merge node that the message names.',
  'merge/no-host': 'Run the graph in ComfyUI, or in `lineage serve` with a model folder.',
  'merge/busy': 'Wait until the other run has made this file, or give another name.',
  'strip/left-behind':
    'Nothing was written. Please report it with the kind of file; --profile public on a copy saved anew is a way round.',
  'workflow/malformed': 'Give a workflow as the editor saves it (in ComfyUI: "Save" or "Export").',
  'workflow/recursive': 'A subgraph contains itself; open the workflow in the editor and take it out.',
  'workflow/too-large': 'The subgraphs nest or multiply beyond all use; check that the right file was given.',
  'workflow/object-info':
    'Give what a running ComfyUI answers to GET /object_info, or leave --object-info out for the classes of ComfyUI itself.',
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
  /** Of a text, from 1. */
  readonly line?: number;
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

/** What was expected and what came, apart: for whoever tells a failure in a form of its own. */
export type Mismatch = {
  /** What it is about: `slerp.t`. */
  readonly place?: string;
  readonly expected: string;
  readonly got: string;
};

/** A value that is not what was asked for. The message is `PLACE: expected EXPECTED, got GOT`. */
export class MismatchError extends LineageError {
  readonly mismatch: Mismatch;

  constructor(code: ErrorCode, mismatch: Mismatch) {
    const { place, expected, got } = mismatch;
    super(code, `${place === undefined ? '' : `${place}: `}expected ${expected}, got ${got}`);
    this.mismatch = mismatch;
  }
}

/** What an error expected and what came. Messages say both; one that does not came from elsewhere, and is what came. */
export function mismatchOf(error: LineageError): Mismatch {
  if (error instanceof MismatchError) return error.mismatch;
  const [, expected, got] = /^expected (.*?)[,;] got:? (.*)$/s.exec(error.message) ?? [];
  return { expected: expected ?? 'something else', got: got ?? error.message };
}

/** Whether something caught is an expected failure, and this one where a code is given. */
export function isLineageError(value: unknown, code?: ErrorCode): value is LineageError {
  return value instanceof LineageError && (code === undefined || value.code === code);
}
