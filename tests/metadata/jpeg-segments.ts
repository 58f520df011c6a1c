/** What a JPEG's metadata segments hold, read by the letter of the standards and with none of our code. */
export type JpegSegments = {
  /** Bytes of the whole segment, marker included; 0 where there is none. */
  readonly exifBytes: number;
  readonly xmpBytes: number;
  readonly comBytes: number;
  /** The code of the UserComment and its text. */
  readonly userComment?: { readonly code: string; readonly text: string };
  /** Text tags of IFD0. */
  readonly ifd0: ReadonlyMap<number, string>;
  readonly xmp: string;
  readonly com?: string;
};

/** @see ITU-T T.81 annex B (segments); Exif 3.0 section 4.6 (directories) */
export function readSegments(jpeg: Uint8Array): JpegSegments {
  const file = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let [exifBytes, xmpBytes, comBytes, xmp] = [0, 0, 0, ''];
  let com: string | undefined;
  let userComment: JpegSegments['userComment'];
  let ifd0: ReadonlyMap<number, string> = new Map();
  for (let at = 2; file[at + 1] !== 0xda; at += 2 + file.readUInt16BE(at + 2)) {
    const segmentBytes = 2 + file.readUInt16BE(at + 2);
    const data = file.subarray(at + 4, at + segmentBytes);
    if (file[at] !== 0xff) throw new Error(`no marker at ${at}`);
    if (file[at + 1] === 0xfe) {
      if (com !== undefined) throw new Error('two comments');
      [comBytes, com] = [segmentBytes, data.toString('utf8')];
    } else if (file[at + 1] === 0xe1 && data.toString('latin1').startsWith('Exif\0\0')) {
      if (exifBytes > 0) throw new Error('two EXIF segments');
      exifBytes = segmentBytes;
      ({ userComment, ifd0 } = readTiff(data.subarray(6)));
    } else if (
      file[at + 1] === 0xe1 &&
      data.toString('latin1').startsWith('http://ns.adobe.com/xap/1.0/\0')
    ) {
      [xmpBytes, xmp] = [segmentBytes, data.subarray(29).toString('utf8')];
    }
  }
  return {
    exifBytes,
    xmpBytes,
    comBytes,
    ifd0,
    xmp,
    ...(userComment && { userComment }),
    ...(com !== undefined && { com }),
  };
}

function readTiff(tiff: Buffer): Pick<JpegSegments, 'userComment' | 'ifd0'> {
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const entries = (ifd: number) =>
    Array.from({ length: u16(ifd) }, (_, i) => {
      const at = ifd + 2 + 12 * i;
      const [tag, type, count] = [u16(at), u16(at + 2), u32(at + 4)];
      const offset = count <= 4 ? at + 8 : u32(at + 8);
      return { tag, type, pointer: u32(at + 8), bytes: tiff.subarray(offset, offset + count) };
    });
  const first = entries(u32(4));
  const ascii = first.filter(({ type }) => type === 2);
  const exif = first.find(({ tag }) => tag === 0x8769);
  const comment = exif && entries(exif.pointer).find(({ tag }) => tag === 0x9286)?.bytes;
  const ifd0 = new Map(ascii.map(({ tag, bytes }) => [tag, bytes.toString('latin1').replace(/\0$/, '')]));
  if (!comment) return { ifd0 };
  const [code, body] = [comment.toString('latin1', 0, 8).replace(/\0+$/, ''), comment.subarray(8)];
  const text = code === 'UNICODE' ? Buffer.from(body).swap16().toString('utf16le') : body.toString('latin1');
  return { ifd0, userComment: { code, text } };
}
