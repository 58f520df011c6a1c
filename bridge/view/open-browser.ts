import { spawn } from 'node:child_process';

/** How each system opens a URL with the program that its owner chose. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  // `start` takes the first quoted word for a title.
  win32: ['cmd.exe', '/d', '/c', 'start', '""'],
};
const OTHERS = ['xdg-open'] as const;

/**
 * Opens a URL of ours in a browser. Where that does not work nothing is said: the URL stands on the screen.
 *
 * @param url without characters that a shell reads as others
 */
export function openBrowser(
  url: string,
  { platform, env }: Pick<NodeJS.Process, 'platform' | 'env'> = process,
): void {
  const [program, ...args] = OPENERS[platform] ?? OTHERS;
  // Without a screen xdg-open would start a browser for terminals, in this one.
  const needsScreen = program === 'xdg-open' && env['WSL_DISTRO_NAME'] === undefined;
  if (needsScreen && env['DISPLAY'] === undefined && env['WAYLAND_DISPLAY'] === undefined) return;
  const child = spawn(program, [...args, url], { detached: true, stdio: 'ignore', env, windowsHide: true });
  child.on('error', () => {});
  child.unref();
}
