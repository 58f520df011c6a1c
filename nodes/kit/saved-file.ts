/** A saved file as clients ask `/view` for it; `subfolder` is empty for a file that lies in the folder itself. */
export type SavedFile = {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: 'output' | 'temp';
};

/** Names a file as ComfyUI's `ui` message does. @param path below the folder, with `/`, as `Host.writeOutput` gives it */
export function toSavedFile(path: string, type: SavedFile['type']): SavedFile {
  const at = path.lastIndexOf('/');
  return { filename: path.slice(at + 1), subfolder: path.slice(0, Math.max(at, 0)), type };
}
