import storyStyle from '../shared/story.css';
import themeStyle from './theme.css';

/** An element whose content has our styles and lets none of them out. */
export function styledRoot(): { readonly host: HTMLElement; readonly root: ShadowRoot } {
  const host = document.createElement('div');
  host.className = 'lineage-host';
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [themeStyle, storyStyle].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return { host, root };
}
