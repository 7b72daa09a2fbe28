import manifest from "../package.json" with { type: "json" };

/** Loom's version, from package.json. */
export const version: string = manifest.version;
