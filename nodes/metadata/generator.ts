import manifest from '../../package.json' with { type: 'json' };

/** The program and version that a record names as its writer. */
export const GENERATOR = `${manifest.name} ${manifest.version}`;
