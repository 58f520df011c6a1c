/** What an element may hold; null and false hold nothing. */
export type Child = Node | string | null | false;

type Attributes = {
  readonly [name: string]: string | boolean | ((event: Event) => void) | undefined;
};

/**
 * Makes an element. Texts are texts: nothing that a picture or a server says is read as HTML.
 *
 * @param attributes functions are listeners (`click`), true is a bare attribute, false and undefined are left out
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, '');
    else if (typeof value === 'string') made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== false));
  return made;
}

/** Puts new children into an element. */
export function fill(parent: Element | ShadowRoot, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter((child) => child !== null && child !== false));
}
