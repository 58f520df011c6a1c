/** Where the server writes what it has to say; the same as a node's `Host.log`. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
