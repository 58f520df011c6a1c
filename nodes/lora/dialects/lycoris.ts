import type { Dialect } from './dialect.ts';

/**
 * LyCORIS' names.
 * @see https://github.com/KohakuBlueleaf/LyCORIS lycoris/modules
 */
export const LOHA: Dialect = {
  id: 'loha',
  kind: 'loha',
  suffixes: {
    '.hada_w1_a': 'w1a',
    '.hada_w1_b': 'w1b',
    '.hada_w2_a': 'w2a',
    '.hada_w2_b': 'w2b',
    '.hada_t1': 't1',
    '.hada_t2': 't2',
  },
  needs: [
    ['w1a', 'w1b', 'w2a', 'w2b', 't1', 't2'],
    ['w1a', 'w1b', 'w2a', 'w2b'],
  ],
  isScaled: true,
};

export const LOKR: Dialect = {
  id: 'lokr',
  kind: 'lokr',
  suffixes: {
    '.lokr_w1': 'w1',
    '.lokr_w1_a': 'w1a',
    '.lokr_w1_b': 'w1b',
    '.lokr_w2': 'w2',
    '.lokr_w2_a': 'w2a',
    '.lokr_w2_b': 'w2b',
    '.lokr_t2': 't2',
  },
  needs: [
    ['w1', 'w2'],
    ['w1', 'w2a', 'w2b', 't2'],
    ['w1', 'w2a', 'w2b'],
    ['w1a', 'w1b', 'w2'],
    ['w1a', 'w1b', 'w2a', 'w2b', 't2'],
    ['w1a', 'w1b', 'w2a', 'w2b'],
  ],
  isScaled: true,
};

export const OFT: Dialect = {
  id: 'oft',
  kind: (rank) => (rank('blocks') === 3 ? 'oft' : rank('blocks') === 4 ? 'boft' : undefined),
  suffixes: { '.oft_blocks': 'blocks', '.rescale': 'rescale' },
  needs: [['blocks']],
  isScaled: true,
};

export const GLORA: Dialect = {
  id: 'glora',
  kind: 'glora',
  suffixes: { '.a1.weight': 'a1', '.a2.weight': 'a2', '.b1.weight': 'b1', '.b2.weight': 'b2' },
  needs: [['a1', 'a2', 'b1', 'b2']],
  isScaled: true,
};
