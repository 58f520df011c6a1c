import sharp from 'sharp';
import type { Stage } from './stage.ts';

const BOUNDARY = 'golden-boundary';
/** One more than the 100 MiB that ComfyUI takes. */
const TOO_LARGE_BYTES = 100 * 1024 * 1024 + 1;

/** A form as a browser posts it. `image` is the file. */
function form(
  image: { readonly name: string; readonly bytes: Uint8Array } | undefined,
  fields: Readonly<Record<string, string>> = {},
): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    );
  }
  if (image) {
    const head = `Content-Disposition: form-data; name="image"; filename="${image.name}"\r\nContent-Type: image/png`;
    parts.push(
      Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n`),
      Buffer.from(image.bytes),
      Buffer.from('\r\n'),
    );
  }
  parts.push(Buffer.from(`--${BOUNDARY}--\r\n`));
  return {
    body: Buffer.concat(parts),
    headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
  };
}

function draw(color: string, alpha = 1): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 6, channels: 4, background: { ...RGB[color], alpha } } })
    .png()
    .toBuffer();
}
const RGB: Readonly<Record<string, { r: number; g: number; b: number }>> = {
  red: { r: 255, g: 0, b: 0 },
  blue: { r: 0, g: 0, b: 255 },
};

/** Uploads, and what can be seen of them. */
export async function playFiles(stage: Stage): Promise<void> {
  const red = await draw('red');
  const blue = await draw('blue', 0.5);
  const upload = async (name: string, to: string, ...sent: Parameters<typeof form>): Promise<void> => {
    await stage.http(`POST /upload/${to}: ${name}`, 'POST', `/upload/${to}`, form(...sent));
  };
  const image = (name: string, bytes: Uint8Array = red) => ({ name, bytes });
  await upload('a picture', 'image', image('a.png'));
  await upload('the same again', 'image', image('a.png'));
  await upload('another of that name', 'image', image('a.png', blue));
  await upload('to replace', 'image', image('a.png'), { overwrite: 'true' });
  await upload('into a folder', 'image', image('a.png'), { subfolder: 'deep/er', type: 'input' });
  await upload('among the temporary', 'image', image('t.png'), { type: 'temp' });
  await upload('into the output', 'image', image('o.png', blue), { type: 'output' });
  await upload('of a kind unknown', 'image', image('a.png'), { type: 'elsewhere' });
  await upload('into a folder outside', 'image', image('a.png'), { subfolder: '../..' });
  await upload('a name that leads out', 'image', image('../../../a.png'));
  await upload('no file', 'image', undefined);
  await upload('no name', 'image', image(''));
  await upload('a page', 'image', image('page.html', Buffer.from('<script>1</script>')));
  await upload(
    'a drawing',
    'image',
    image('drawing.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
  );
  await upload('a note', 'image', image('note.txt', Buffer.from('one two three four five')));
  await upload('no kind', 'image', image('data', Buffer.from('bytes')));
  await upload('too large', 'image', image('large.png', Buffer.alloc(TOO_LARGE_BYTES)));
  await stage.http('POST /upload/image: no form', 'POST', '/upload/image', { json: {} });
  const original_ref = JSON.stringify({ filename: 'a.png', type: 'input', subfolder: '' });
  await upload('over a picture', 'mask', image('mask.png', blue), { original_ref });
  await upload('over nothing', 'mask', image('mask2.png', blue), {
    original_ref: JSON.stringify({ filename: 'absent.png', type: 'input' }),
  });
  await upload('over a file outside', 'mask', image('mask3.png', blue), {
    original_ref: JSON.stringify({ filename: '../a.png', type: 'input' }),
  });
  await upload('without a picture to lie over', 'mask', image('mask4.png', blue));

  const SEEN: Readonly<Record<string, string>> = {
    'a picture': 'filename=a.png&type=input',
    'one of the output': 'filename=golden_00001_.png',
    'with an empty folder': 'filename=a.png&type=input&subfolder=',
    'in a folder': 'filename=a.png&type=input&subfolder=deep/er',
    'a name that says where': 'filename=a.png%20[input]',
    'a name that says output': 'filename=o.png%20[output]&type=input',
    'a mask': 'filename=mask.png&type=input',
    'a mask over nothing': 'filename=mask2.png&type=input',
    'as webp': 'filename=a.png&type=input&preview=webp;50',
    'as jpeg': 'filename=a.png&type=input&preview=jpeg;50',
    'as what it does not know': 'filename=a.png&type=input&preview=gif',
    'its colours': 'filename=o.png&type=output&channel=rgb',
    'its alpha': 'filename=o.png&type=output&channel=a',
    'its alpha, small': 'filename=o.png&type=output&channel=a&preview=jpeg',
    'all channels': 'filename=o.png&type=output&channel=rgba',
    'an absent file': 'filename=absent.png',
    'no name': 'type=input',
    'an empty name': 'filename=&type=input',
    'a kind unknown': 'filename=a.png&type=elsewhere',
    'a rooted name': 'filename=/etc/passwd',
    'a name that leads out': 'filename=../a.png&type=input',
    'a folder outside': 'filename=a.png&type=input&subfolder=../..',
    'a rooted folder': 'filename=a.png&type=input&subfolder=/etc',
    'a page': 'filename=page.html&type=input',
    'a drawing': 'filename=drawing.svg&type=input',
    'a note': 'filename=note.txt&type=input',
    'no kind of file': 'filename=data&type=input',
  };
  for (const [name, query] of Object.entries(SEEN)) {
    await stage.http(`GET /view: ${name}`, 'GET', `/view?${query}`);
  }
  const headers = { Range: 'bytes=0-3' };
  await stage.http('GET /view: the first bytes', 'GET', '/view?filename=note.txt&type=input', { headers });
}
