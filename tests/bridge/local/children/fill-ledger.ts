/** Remembers files in a ledger and looks each up again: `LEDGER FIRST COUNT`; starts on a line of stdin. */
import { once } from 'node:events';
import { openLedger } from '../../../../bridge/local/ledger.ts';
import { fileNumber } from './file-number.ts';

const [path = '', first = '0', count = '0'] = process.argv.slice(2);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const ledger = openLedger(path, (error) => {
  throw error;
});
for (let number = Number(first); number < Number(first) + Number(count); number++) {
  const { identity, hashes } = fileNumber(number);
  ledger.remember(identity, hashes);
  if (ledger.find(identity)?.sha256 !== hashes.sha256) throw new Error(`file ${number} was forgotten`);
}
ledger.close();
