/** A prompt graph as a client posts it. */
export type Graph = Readonly<Record<string, unknown>>;

/** A node of one. */
export function node(class_type: string, inputs: Readonly<Record<string, unknown>>): Graph {
  return { class_type, inputs };
}

/** A picture of one colour, 8 pixels a side; another colour is another cache entry. */
export function picture(color: number): Graph {
  return node('EmptyImage', { width: 8, height: 8, batch_size: 1, color });
}

/** One picture saved. */
export function saved(color: number, prefix = 'golden'): Graph {
  return { '1': picture(color), '2': node('SaveImage', { images: ['1', 0], filename_prefix: prefix }) };
}

/** A graph that keeps a server busy until it is interrupted. */
export function endless(color: number): Graph {
  return {
    '1': picture(color),
    '2': node('TestSleep', { value: ['1', 0], seconds: 600 }),
    '3': node('PreviewImage', { images: ['2', 0] }),
  };
}
