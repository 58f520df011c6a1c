import { element, fill } from '../shared/element.ts';
import { isSavedImage, type SavedImage } from '../shared/panel-client.ts';
import { tellPicture } from '../shared/tell-picture.ts';
import { ask, type HistoryEntry, viewUrl } from './server.ts';

/** A picture of a finished run. */
type Picture = { readonly image: SavedImage; readonly node: string; readonly run: string };

/** All pictures of the runs, in their order. */
export function picturesOf(
  history: readonly (readonly [id: string, entry: HistoryEntry])[],
): readonly Picture[] {
  return history.flatMap(([run, { outputs }]) =>
    Object.entries(outputs).flatMap(([node, ui]) => {
      const images = Array.isArray(ui['images']) ? ui['images'] : [];
      return images.filter(isSavedImage).map((image) => ({ image, node, run }));
    }),
  );
}

/** The pictures as a grid; one opens with all that it says. */
export function galleryView(pictures: readonly Picture[], detail: HTMLDialogElement): HTMLElement {
  if (pictures.length === 0)
    return element(
      'div',
      { class: 'empty large' },
      element('img', { class: 'empty-mark', src: 'icon.svg', alt: '', width: '56', height: '56' }),
      element('p', {}, 'No pictures yet.'),
      element('p', { class: 'help' }, 'Queue a graph, and what it saves appears here.'),
    );
  const cards = pictures.map((picture, index) => {
    const { image } = picture;
    return element(
      'li',
      {},
      element(
        'button',
        { type: 'button', class: 'card', click: () => openPicture(pictures, index, detail) },
        element('img', { src: viewUrl(image, true), alt: '', loading: 'lazy', decoding: 'async' }),
        element('span', { class: 'card-name' }, image.filename),
        image.type === 'temp' && element('span', { class: 'badge' }, 'preview'),
      ),
    );
  });
  return element('ul', { class: 'gallery', 'aria-label': 'Pictures' }, ...cards);
}

/** The picture large, beside it what each reader sees and how it was made. Arrow keys go to its neighbours. */
function openPicture(pictures: readonly Picture[], index: number, detail: HTMLDialogElement): void {
  const picture = pictures[index];
  if (!picture) return;
  const { image, node } = picture;
  const told = element('div', { class: 'told', tabindex: '0', 'aria-busy': 'true' }, 'Reading…');
  const step = (by: number, label: string, sign: string): HTMLElement =>
    element(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': label,
        disabled: pictures[index + by] === undefined,
        click: () => openPicture(pictures, index + by, detail),
      },
      sign,
    );
  fill(
    detail,
    element(
      'header',
      {},
      element('h2', {}, image.filename),
      element('span', { class: 'help facts' }),
      element('span', { class: 'spring' }),
      step(-1, 'Previous picture', '‹'),
      step(1, 'Next picture', '›'),
      element('a', { class: 'button quiet', href: viewUrl(image), download: image.filename }, 'Download'),
      element('button', { type: 'button', class: 'quiet', click: () => detail.close() }, 'Close'),
    ),
    element(
      'div',
      { class: 'stage' },
      element('img', { src: viewUrl(image), alt: `Picture ${image.filename}` }),
    ),
    told,
  );
  detail.onkeydown = ({ key, target }) => {
    // In the text the arrows scroll.
    if (target instanceof Element && target.closest('pre')) return;
    if (key === 'ArrowLeft') openPicture(pictures, index - 1, detail);
    if (key === 'ArrowRight') openPicture(pictures, index + 1, detail);
  };
  if (!detail.open) detail.showModal();
  void tell(told, detail, image, node);
}

async function tell(
  told: HTMLElement,
  detail: HTMLDialogElement,
  image: SavedImage,
  node: string,
): Promise<void> {
  const { story, views } = await tellPicture(ask, image, node);
  // Meanwhile another picture may be shown.
  if (!detail.contains(told)) return;
  if (story) {
    const { format, width, height } = story;
    detail.querySelector('.facts')?.append(`${width} × ${height} · ${format.toUpperCase()} · node ${node}`);
  }
  fill(told, ...views);
  told.removeAttribute('aria-busy');
}
