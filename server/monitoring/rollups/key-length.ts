/** Paths and user agents are cut to this length, so that longer ones with the same beginning count as one value. */
export const maxKeyLength = 200;
