/**
 * Limits of the HTTP server against clients that send too much or too slowly; for `http.createServer`. Node checks
 * open connections every `connectionsCheckingInterval` and answers a late one with 408.
 */
export const SERVER_LIMITS = {
  /** All headers of a request, in bytes. Cookies of other servers on this host come along, so not less. */
  maxHeaderSize: 16 * 1024,
  /** A client has this long to send its headers, in milliseconds: one that drips them holds a socket no longer. */
  headersTimeout: 10_000,
  /** And this long for the whole request: an upload of 100 MB through 3 Mbit/s. */
  requestTimeout: 300_000,
  /** Above the minute for which proxies keep connections, so that they close first. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
} as const;

/** Sockets open at a time (`server.maxConnections`): far above any browser, far below the limit of open files. */
export const CONNECTIONS_MAX = 512;

/** The longest JSON that a route reads, in bytes; a prompt has a limit of its own. Settings are kilobytes. */
export const JSON_BYTES_MAX = 8 * 1024 * 1024;

/** How deep JSON may nest: settings are a few levels deep, and recursion over it must end before the stack does. */
export const JSON_DEPTH_MAX = 128;
