import { parse, TomlError, type TomlTable } from "smol-toml";
import { readBoundedFile, UnreadableFileError } from "./bounded-file.ts";
import { buildConfig } from "./build-config.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { readManagementTokens } from "./management-tokens.ts";
import { type Environment, readValues } from "./read-values.ts";

const maxConfigBytes = 1024 * 1024;

/**
 * Reads the configuration file and the credentials in the environment. The files it names are not opened.
 * @throws ConfigError when the file cannot be read or anything in it is wrong
 */
export function loadConfig(path: string, environment: Environment): Config {
  return parseConfig(readConfigText(path), environment, path);
}

/**
 * The same from a text, TOML 1.0; `path` is what errors of syntax call it.
 * @throws ConfigError
 */
export function parseConfig(tomlText: string, environment: Environment, path = "loom.toml"): Config {
  return buildConfig(readValues(parseToml(tomlText, path), environment), readManagementTokens(environment));
}

function readConfigText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBoundedFile(path, maxConfigBytes).bytes);
  } catch (error) {
    const isUnreadable = error instanceof UnreadableFileError;
    const reason = isUnreadable ? error.message : "it is not UTF-8";
    const advice =
      reason === "no such file" ? ' (name it with -config, or write one with "loom example-config")' : "";
    throw new ConfigError(`config: cannot read ${path}: ${reason}${advice}`, { cause: error });
  }
}

function parseToml(tomlText: string, path: string): TomlTable {
  try {
    return parse(tomlText, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message quotes the lines around the error, and with them perhaps a password.
    const reason = error.message.split("\n", 1)[0]?.replace("Invalid TOML document: ", "");
    // No cause either, for the same reason.
    throw new ConfigError(`config: ${path}: line ${error.line}, column ${error.column}: ${reason}`);
  }
}
