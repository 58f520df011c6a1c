/**
 * Fills the tokens of a file name prefix that ComfyUI's server knows: `%width% %height%` in samples, `%year% %month%
 * %day% %hour% %minute% %second%` in local time; two digits but for the year. Others stay as they are: the front end
 * fills those. `%batch_num%` is the picture's number in its batch, from 0, and only in the last part of the prefix.
 * @see ComfyUI 618b803d folder_paths.py get_save_image_path, nodes.py SaveImage
 */
export function fillPrefix(
  prefix: string,
  { width, height }: { readonly width: number; readonly height: number },
  now: Date,
  batchNumber: number,
): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const values = new Map([
    ['%width%', String(width)],
    ['%height%', String(height)],
    ['%year%', String(now.getFullYear())],
    ['%month%', twoDigits(now.getMonth() + 1)],
    ['%day%', twoDigits(now.getDate())],
    ['%hour%', twoDigits(now.getHours())],
    ['%minute%', twoDigits(now.getMinutes())],
    ['%second%', twoDigits(now.getSeconds())],
  ]);
  const filled = prefix.replace(/%[a-z]+%/g, (token) => values.get(token) ?? token);
  const nameAt = Math.max(filled.lastIndexOf('/'), filled.lastIndexOf('\\')) + 1;
  const name = filled.slice(nameAt).replaceAll('%batch_num%', String(batchNumber));
  return filled.slice(0, nameAt) + name;
}

/**
 * What follows `ComfyUI` in the name of a preview: `_temp_` and five letters, so that previews of two nodes stay
 * apart. ComfyUI draws the letters once a node; here they come of the node and the moment its prompt started.
 */
export function previewMark(nodeId: string, now: Date): string {
  // FNV-1a, 32 bits. @see https://datatracker.ietf.org/doc/html/rfc9923
  let hash = 0x811c9dc5;
  for (const character of `${nodeId} ${now.getTime()}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  let letters = '';
  for (let rest = hash; letters.length < 5; rest = Math.floor(rest / 26)) {
    letters += String.fromCodePoint(97 + (rest % 26));
  }
  return `_temp_${letters}`;
}
