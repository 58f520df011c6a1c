/** A file of rules as its owner wrote it: JSON where the name ends so or the text begins with a brace, else YAML. */
export type RuleFile = { readonly name: string; readonly text: string };

/** What the owner of a machine adds to the rule packs: files in a folder of his own, never one that a graph names. */
export type RuleFiles = {
  /**
   * All files in the order in which they count: of two that know a class type, the earlier wins. The same list again
   * while nothing changed. A file that cannot be read is warned of and left out.
   */
  read(warn: (message: string, file: string) => void): Promise<readonly RuleFile[]>;
  /** The one file that nodes write, as it is now. */
  readSaved(): Promise<string | undefined>;
  /**
   * Writes that file, whole or not at all.
   * @param keep how many backups are kept; 0 makes none and leaves those that are there.
   * @returns the backup's name, where there was a file and one was made
   * @throws LineageError `file/unwritable`
   */
  writeSaved(text: string, keep: number): Promise<string | undefined>;
  /** Backups of that file, newest first. */
  listBackups(): Promise<readonly string[]>;
  /** A backup by the name that `listBackups` gives. Undefined for any other. */
  readBackup(name: string): Promise<string | undefined>;
};
