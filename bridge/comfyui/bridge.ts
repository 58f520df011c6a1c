import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { createExchange } from './exchange.ts';
import { readBirth, removeScratch, watchParent } from './lifeline.ts';
import { listen, type Peer, type PeerHandlers } from './link.ts';
import { PACK_VERSION } from './manifest.ts';
import { PROTOCOL, parseMessage, type ToPython } from './messages.ts';
import { stringifyMessage } from './outputs.ts';
import { createSession, type Session } from './session.ts';

/** A client that was let in says who it is within this time. */
const HELLO_TIMEOUT_MS = 10_000;

/**
 * The program beside ComfyUI: takes the token from standard input, waits for its one client, says on standard output
 * that it is ready (`{"ready": {"port": …}}`), and runs nodes until the client or ComfyUI's process is gone.
 */
export async function runBridge(definitions: readonly AnyNode[]): Promise<void> {
  // A process that is adopted meanwhile would take its new parent for the true one.
  const parent = process.ppid;
  const birth = await readBirth(process.stdin);
  const exchange = createExchange(birth.exchange, (message) => process.stderr.write(`${message}\n`));

  const end = (status: number): void => {
    removeScratch(birth.scratch);
    // Runs may hold on to files and threads; nobody is left to wait for them.
    process.exit(status);
  };
  watchParent(process.stdin, parent, () => end(0));
  process.on('SIGTERM', () => end(0));
  // Ctrl-C is for ComfyUI, which then ends us.
  process.on('SIGINT', () => {});

  const link = await listen(birth.listen, birth.token, (peer) => {
    const handlers = converse(peer, (settings, send) =>
      createSession({ definitions, exchange, settings, send }),
    );
    return {
      onText: handlers.onText,
      onEnd() {
        handlers.onEnd();
        // One client a life: whoever comes next gets a new token and a new program.
        end(0);
      },
    };
  });
  process.stdout.write(`${JSON.stringify({ ready: { port: link.port ?? null } })}\n`);
}

type Settings = Parameters<typeof createSession>[0]['settings'];
type Send = (message: ToPython) => void;

/** The handshake, then one message after the other. Anything that is not of the protocol ends the connection. */
function converse(peer: Peer, begin: (settings: Settings, send: Send) => Session): PeerHandlers {
  let session: Session | undefined;
  let isOver = false;
  const send: Send = (message) => {
    if (!isOver) peer.send(stringifyMessage(message));
  };
  const hangUp = (reason: string): void => {
    isOver = true;
    peer.close(reason);
  };
  const timer = setTimeout(() => hangUp('expected a hello'), HELLO_TIMEOUT_MS);
  return {
    onText(text) {
      if (isOver) return;
      try {
        const message = parseMessage(text);
        if (message.kind !== 'hello' && session) return session.receive(message);
        if (message.kind !== 'hello' || session) return hangUp('expected one hello, first');
        clearTimeout(timer);
        send({
          kind: 'welcome',
          protocol: PROTOCOL,
          version: PACK_VERSION,
          node: process.versions.node,
        });
        if (message.protocol !== PROTOCOL || message.version !== PACK_VERSION)
          return hangUp('the two sides are of different versions');
        session = begin(message.settings, send);
      } catch (error) {
        if (!isLineageError(error)) throw error;
        send({ kind: 'log', level: 'error', message: `[${error.code}] ${error.message}` });
        hangUp(error.code);
      }
    },
    onEnd() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
