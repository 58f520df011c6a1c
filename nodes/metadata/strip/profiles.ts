/** What a stripped picture still says, by the word that asks for it. README lists the same. */
export const STRIP_PROFILES = {
  public: {
    keeps: 'the pixels, the colours of a profile that is not sRGB, and the orientation; nothing else',
    removes:
      'all texts, EXIF, XMP, comments, thumbnails, further pictures, the words of a profile, unknown parts, unused tables and colours, bytes that decoders pass over, a C2PA manifest',
  },
  client: {
    keeps:
      'what public keeps, the generation text (prompts, settings, hashes) and the IPTC mark of a generated picture',
    removes:
      'what public removes, the prompt graph, the workflow and the record with their notes; in the text: folders of absolute paths, keys, and who made it',
  },
  archive: {
    keeps: 'everything but secrets',
    removes:
      'API keys and tokens, pictures kept as base64, the folders of absolute paths; a C2PA manifest where that changed something',
  },
} as const;

/** A word of `STRIP_PROFILES`. */
export type StripProfile = keyof typeof STRIP_PROFILES;
