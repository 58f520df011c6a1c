/** The folders that clients name in requests and in annotated names. */
const CLIENT_FOLDERS = ['input', 'output', 'temp'] as const;
/** One of `CLIENT_FOLDERS`. */
export type ClientFolder = (typeof CLIENT_FOLDERS)[number];

/** Whether a text names one of the folders; narrows it. */
export function isClientFolder(text: string | undefined): text is ClientFolder {
  return CLIENT_FOLDERS.some((folder) => folder === text);
}

/**
 * Takes a name apart that may say its folder: `x.png [output]`. The space belongs to it, as all front ends write it;
 * ComfyUI drops whatever character stands there.
 * @see ComfyUI 618b803d folder_paths.py annotated_filepath
 */
export function parseAnnotatedName(name: string): { readonly path: string; readonly folder?: ClientFolder } {
  for (const folder of CLIENT_FOLDERS) {
    const end = ` [${folder}]`;
    if (name.endsWith(end)) return { path: name.slice(0, -end.length), folder };
  }
  return { path: name };
}
