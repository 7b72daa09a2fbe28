import { clickhouse } from "./clickhouse/descriptor.ts";
import type { OutputDescriptor } from "./descriptor.ts";
import { elasticsearch } from "./elasticsearch/descriptor.ts";
import { kafka } from "./kafka/descriptor.ts";
import { stdout } from "./stdout/descriptor.ts";
import { store } from "./store/descriptor.ts";

/**
 * Every output of this version, in the order in which documentation and errors list them. Configuration, `loom help`,
 * `loom schema`, `loom example-config`, docs/configuration.md and the dashboard follow from this list.
 */
export const outputDescriptors: readonly OutputDescriptor[] = [
  stdout,
  store,
  clickhouse,
  elasticsearch,
  kafka,
];

/** The name of an output as its makers write it: "ClickHouse". */
export function outputTitle(name: string): string {
  return outputDescriptors.find((output) => output.name === name)?.title ?? name;
}
