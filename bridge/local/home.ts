import { homedir } from 'node:os';
import { join } from 'node:path';

/** This user's folder for what is kept between runs: `LINEAGE_HOME`, else `~/.lineage`. It need not exist yet. */
export function homeFolder(): string {
  return process.env['LINEAGE_HOME'] ?? join(homedir(), '.lineage');
}

/** The ledger of hashes in such a folder. */
export function ledgerIn(home: string): string {
  return join(home, 'ledger.sqlite');
}
