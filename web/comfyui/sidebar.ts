import { api } from '../scripts/api.js';
import { app } from '../scripts/app.js';
import { element, fill } from '../shared/element.ts';
import { queryOf, type SavedImage } from '../shared/panel-client.ts';
import { tellPicture } from '../shared/tell-picture.ts';
import { showNode } from './canvas-nodes.ts';
import { styledRoot } from './styled-root.ts';

const ID = 'lineage';
/** Saves of this session that are kept at hand. */
const KEPT_SAVES = 24;

/** What one run of a save node wrote. */
type Save = { readonly node: string; readonly images: readonly SavedImage[] };
type Shown = { readonly node: string; readonly image: SavedImage };

/** The tab at the side. */
export type Sidebar = {
  register(): void;
  /** Takes note of new pictures, and shows the first of them. */
  add(save: Save): void;
  /** Opens the tab with the last picture of a node. */
  open(node: string): void;
};

/** The tab with the pictures that were saved in this session: who sees what in them, and how they were made. */
export function createSidebar(): Sidebar {
  const { host, root } = styledRoot();
  let saves: readonly Save[] = [];
  let shown: Shown | undefined;
  let isOpen = false;

  function draw(): void {
    if (!isOpen) return;
    const pictures = saves.flatMap(({ node, images }) => images.map((image) => ({ node, image })));
    const told = element('div', { 'aria-live': 'polite' });
    fill(
      root,
      element(
        'div',
        { class: 'sidebar' },
        element('h2', { class: 'title' }, 'Lineage'),
        pictures.length === 0 &&
          element('p', { class: 'lineage-note' }, 'What “Save Image (Lineage)” writes appears here.'),
        element('div', { class: 'thumbs' }, ...pictures.map(thumb)),
        told,
      ),
    );
    if (shown) void tell(told, shown);
  }

  function thumb(picture: Shown): HTMLElement {
    const isShown = shown !== undefined && queryOf(picture.image) === queryOf(shown.image);
    const show = (): void => {
      shown = picture;
      draw();
    };
    const src = api.apiURL(`/view?${queryOf(picture.image)}&preview=webp;70`);
    return element(
      'button',
      { type: 'button', title: picture.image.filename, 'aria-pressed': String(isShown), click: show },
      element('img', { src, alt: picture.image.filename, loading: 'lazy' }),
    );
  }

  return {
    register() {
      app.extensionManager.registerSidebarTab({
        id: ID,
        icon: 'pi pi-sitemap',
        title: 'Lineage',
        tooltip: 'Lineage: how the saved pictures were made',
        type: 'custom',
        render(container) {
          isOpen = true;
          container.append(host);
          draw();
        },
        destroy() {
          isOpen = false;
        },
      });
    },
    add(save) {
      saves = [save, ...saves].slice(0, KEPT_SAVES);
      const [image] = save.images;
      if (image) shown = { node: save.node, image };
      draw();
    },
    open(node) {
      const save = saves.find((each) => each.node === node);
      const [image] = save?.images ?? [];
      if (image) shown = { node, image };
      // The front end has such a command for each tab; it closes a tab that is open.
      if (!isOpen) void app.extensionManager.command.execute(`Workspace.ToggleSidebarTab.${ID}`);
      else draw();
    },
  };
}

async function tell(told: HTMLElement, { node, image }: Shown): Promise<void> {
  const { views } = await tellPicture(api.fetchApi.bind(api), image, node, showNode);
  fill(
    told,
    element(
      'p',
      { class: 'file' },
      image.subfolder === '' ? image.filename : `${image.subfolder}/${image.filename}`,
    ),
    ...views,
  );
}
