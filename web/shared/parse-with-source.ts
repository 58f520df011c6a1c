/** The reviver's third argument: TC39 proposal-json-parse-with-source, not in the library types. */
type JsonWithSource = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ): unknown;
};
const json = JSON as unknown as JsonWithSource;

/**
 * Parses JSON with a look at how each number is spelled.
 *
 * @param take gives what becomes of a number; its spelling is undefined in a browser without the proposal.
 * @throws SyntaxError
 */
export function parseWithSource(
  text: string,
  take: (value: number, source: string | undefined) => unknown,
): unknown {
  return json.parse(text, (_key, value, context) =>
    typeof value === 'number' ? take(value, context?.source) : value,
  );
}
