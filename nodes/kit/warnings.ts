/** Something the reader should know that stopped nothing. Codes are promises, like those of errors. */
export const WARNINGS = {
  'graph/nan': 'NaN or Infinity in the document was read as null',
  'graph/malformed-node': 'an entry of the graph is not a node and was left out',
  'graph/dangling-link': 'a link names a node that the graph does not contain',
  'graph/cycle': 'the links run in a circle; each node was visited once',
  'graph/unknown-class': 'no rule pack knows this class type; its links were followed by name',
  'value/unresolved': 'a value depends on a node that cannot be evaluated without running it',
  'value/not-a-number': 'a number was expected; the value was left out',
  'value/wrong-type': 'a value is not of the kind its input takes; it was left out',
  'value/cut': 'a text holds more LoRAs than are read of one; the rest was left out',
  'value/cleaned': 'characters that no reader can hold were replaced',
  'sampler/none': 'the graph has no known sampler; the facts that were found are written as for one',
  'sampler/half-range': 'only one of START_STEP and END_STEP was given; it was ignored',
  'sampler/empty-range': 'the range holds no step; the sampler runs nothing',
  'sampler/overlap': 'two samplers declare overlapping ranges',
  'sampler/capped': 'more samplers than the cap; the rest are not listed',
  'rules/malformed': 'a file of rules says something that no rule can say, or that cannot be meant',
  'rules/unreadable': 'a file of rules could not be read; the others count',
  'hint/ignored':
    'the node marked with a hint is not on the way of this picture, or holds nothing of that kind; it was ignored',
  'sampler/pin-ignored':
    'the node pinned or chosen as the sampler is not one of this picture; it was ignored',
  'sampler/reference-only': 'this sampler only makes a reference picture and does not count',
  'resource/missing': 'the file was not found in the model folders',
  'resource/outside': 'the name leads out of the model folders and was not followed',
  'resource/recorded': 'no model folder was given; the hash is the one that the picture recorded before',
  'resource/unreadable': 'the file could not be read',
  'resource/sidecar':
    'the file beside a model that says what Civitai calls it is damaged or belongs to another model; it was ignored',
  'ledger/unusable': 'the ledger of hashes cannot be used; the run goes on without it',
  'embed/dropped': 'something did not fit the format or the budget and was left out',
  'embed/c2pa': 'the picture carries a C2PA manifest whose signature does not cover the new metadata',
  'embed/replaced': 'a block of the source picture was damaged and was replaced',
  'strip/unread':
    'coded data were kept without being followed code by code; bytes among them that decoders pass over may have stayed',
  'strip/c2pa': 'the C2PA manifest was taken out: its signature does not fit a changed file',
  'source/kept': 'the picture only passes through; the metadata of its source was kept',
  'pipeline/unused-dependency': 'the step declares a dependency that it does not use; it still waits for it',
  'pipeline/precision': 'the file holds another precision than the manifest says',
  'pipeline/keys': 'models of this step differ in their tensors; they were treated as the manifest says',
  'pipeline/modules': 'the adapter has modules that this model lacks; they were left out',
  'pipeline/scale':
    'nothing says how far the adapter is scaled; it was taken as it is, as if alpha were its rank',
  'pipeline/device': 'the step asks for a CUDA device; it runs on the processor, with the same result',
  'pipeline/inference': 'nothing here can run the model; the step checks what can be seen in its tensors',
  'pipeline/markers':
    'the models disagree in a marker such as v_pred; that of the first model that has it is kept',
  'pipeline/unfinished':
    'running that merge again goes on from the file; deleting it frees the room, and a later merge does so after a week',
  'pipeline/journal':
    'the step goes on; were it stopped now, what was made since could not be taken up again',
  'workflow/converted': 'no prompt graph was there; it was made from the workflow',
  'workflow/malformed': 'an entry of the workflow is no node, link or definition and was left out',
  'workflow/dangling-link': 'a link leads nowhere; the input was left out',
  'workflow/cycle': 'links through nodes that do not run form a circle; the input was left out',
  'workflow/muted': 'what an input takes comes from a node that does not run; the input was left out',
  'workflow/bypass': 'a bypassed node has no input for what it would make; the input was left out',
  'workflow/unknown-class': 'the object info lacks this class; values without names could not be carried',
  'workflow/value': 'a value of the workflow fits no input',
  'workflow/default': 'the workflow holds no value for an input; it got the default of the class',
  'workflow/choice': 'the editor chooses alternatives in a text by chance; the first was taken',
  'workflow/spelling': 'the server spells this choice otherwise; its spelling was taken',
} as const;

/** A code of `WARNINGS`: closed, and never renamed once released. */
export type WarningCode = keyof typeof WARNINGS;

/** One thing worth knowing, as results and records list it. */
export type Warning = {
  readonly code: WarningCode;
  /** One line, with what was found. */
  readonly message: string;
  /** A node id, `node.input`, a field or a file: what helps to find the spot. */
  readonly where: string;
};

/** Collects warnings once each, in the order they came. */
export type WarningSink = (code: WarningCode, message: string, where?: string) => void;
