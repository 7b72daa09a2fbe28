import { parse } from "smol-toml";
import { schemaWith } from "../../server/config/keys.ts";
import * as loading from "../../server/config/load-config.ts";
import { type Environment, type ReadValues, readValues } from "../../server/config/read-values.ts";
import { outputDescriptors } from "../../server/outputs/registry.ts";

const schema = schemaWith(outputDescriptors);

/** Every section and key, with those of the outputs. */
export const allSections = schema.sections;

/** Every key of sections and of arrays of tables. */
export const allKeys = [
  ...Object.values(allSections),
  ...Object.values(schema.tableArrays).map(({ keys }) => keys),
].flatMap((keys) => Object.values(keys));

/** Parses a configuration that may name any output of this version. */
export function parseConfig(tomlText: string, environment: Environment) {
  return loading.parseConfig(tomlText, environment, outputDescriptors);
}

/** Loads a configuration that may name any output of this version. */
export function loadConfig(path: string, environment: Environment) {
  return loading.loadConfig(path, environment, outputDescriptors);
}

/** The single values of a configuration, without the checks that need more than one key. */
export function valuesOf(tomlText: string, environment: Environment = {}): ReadValues {
  return readValues(parse(tomlText, { integersAsBigInt: true }), environment, schema);
}

/** The value of a key in `[output]`. */
export function outputValue(tomlText: string, environment: Environment, key: string): unknown {
  return valuesOf(tomlText, environment).values.output?.[key];
}
