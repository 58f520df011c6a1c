import { element, fill } from '../shared/element.ts';
import { logIn } from './server.ts';

/** Asks for the server's token. The server keeps it in a cookie that scripts cannot read; the page keeps nothing. */
export function showLogin(dialog: HTMLDialogElement, onDone: () => void): void {
  if (dialog.open) return;
  const token = element('input', {
    type: 'password',
    id: 'token',
    required: true,
    autocomplete: 'current-password',
  });
  const message = element('p', { class: 'error', role: 'alert', hidden: true }, 'This is not the token.');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await logIn(token.value)) return onDone();
    message.hidden = false;
    token.select();
  };
  fill(
    dialog,
    element(
      'form',
      { submit: (event) => void submit(event) },
      element('h2', {}, 'This server wants a token'),
      element('p', { class: 'help' }, 'It was printed when the server was started.'),
      element('label', { for: 'token', class: 'login-label' }, 'Token'),
      token,
      message,
      element('div', { class: 'buttons' }, element('button', { type: 'submit', class: 'primary' }, 'Log in')),
    ),
  );
  dialog.showModal();
}
