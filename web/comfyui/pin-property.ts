/** The property of a node that the save node looks for in the workflow. */
export const PIN_PROPERTY = 'lineage.pin';

/** Its value on the sampler that the main fields of a saved picture describe. */
export const PIN_SAMPLER = 'sampler';
