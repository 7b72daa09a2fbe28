import { statSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { loadConfig } from "../../config/load-config.ts";
import type { ConfiguredOutput } from "../../outputs/descriptor.ts";
import { outputDescriptors } from "../../outputs/registry.ts";
import type { StoreLocation } from "../../store/store-location.ts";

export interface ConfiguredStore {
  readonly config: Config<ConfiguredOutput>;
  readonly location: StoreLocation;
}

/** @throws Error if the configuration is wrong, or has no store */
export async function configuredStore(configPath: string): Promise<ConfiguredStore> {
  const config = await loadConfig(configPath, process.env, outputDescriptors);
  const location = config.output.outputs.find(({ storeLocation }) => storeLocation)?.storeLocation;
  if (location === undefined)
    throw new Error('loom store: output.type does not have "store", so there are no files to work on');
  return { config, location };
}

/**
 * Checks that this process does not make files in a store that the user of the running Loom cannot read.
 * @throws Error if another user owns the directory
 */
export function assertOwner(dir: string): void {
  const owner = statSync(dir, { throwIfNoEntry: false })?.uid;
  const user = process.getuid?.();
  if (owner !== undefined && user !== undefined && owner !== user)
    throw new Error(
      `store: ${dir} belongs to the user with the id ${owner}; run this command as that user, because Loom could not read the files of another one`,
    );
}
