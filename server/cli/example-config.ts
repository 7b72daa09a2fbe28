import * as config from "../config/example.ts";
import { outputDescriptors } from "../outputs/registry.ts";

/** The annotated configuration file that `loom example-config` prints. */
export function exampleConfig(): string {
  return config.exampleConfig(outputDescriptors);
}
