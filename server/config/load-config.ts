import { parse, TomlError, type TomlTable } from "smol-toml";
import { readBoundedFile, UnreadableFileError } from "../bounded-file.ts";
import { buildConfig } from "./build-config.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { readMaxmindAccount } from "./database-updates.ts";
import { schemaWith } from "./keys.ts";
import { isTable } from "./kind.ts";
import { readManagementTokens } from "./management-tokens.ts";
import type { OutputKind } from "./output-kind.ts";
import { type Environment, readValues } from "./read-values.ts";
import { readTokenTable, type SourcedCredential } from "./sensors.ts";

const maxConfigBytes = 1024 * 1024;

/**
 * Reads the configuration file, and the credentials from the environment. Does not open the files that it names.
 * @param outputs the outputs that `output.type` may name
 * @throws ConfigError when the file cannot be read, or anything in it is wrong
 */
export async function loadConfig<Output>(
  path: string,
  environment: Environment,
  outputs: readonly OutputKind<Output>[],
): Promise<Config<Output>> {
  return parseConfig(await readConfigText(path), environment, outputs, path);
}

/**
 * Does the same for a text in TOML 1.0.
 * @param path names the text in errors of syntax
 * @throws ConfigError
 */
export function parseConfig<Output>(
  tomlText: string,
  environment: Environment,
  outputs: readonly OutputKind<Output>[],
  path = "loom.toml",
): Config<Output> {
  const document = parseToml(tomlText, path);
  const sensors = takeTokenTable(document);
  const read = readValues(document, environment, schemaWith(outputs));
  const secrets = {
    management: readManagementTokens(environment),
    maxmindAccount: readMaxmindAccount(environment),
    sensors,
  };
  return buildConfig(read, secrets, outputs);
}

/** Removes `[auth.tokens]` from the document, because its keys are tokens and not the names of keys. */
function takeTokenTable(document: TomlTable): readonly SourcedCredential[] {
  const { auth } = document;
  if (!isTable(auth) || auth.tokens === undefined) return [];
  const { tokens } = auth;
  if (!isTable(tokens))
    throw new ConfigError("config: auth: tokens is not a section; allowed: [auth.tokens]");
  delete auth.tokens;
  return readTokenTable(tokens);
}

async function readConfigText(path: string): Promise<string> {
  try {
    const { bytes } = await readBoundedFile(path, maxConfigBytes);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const isUnreadable = error instanceof UnreadableFileError;
    const reason = isUnreadable ? error.message : "it is not UTF-8";
    const advice =
      reason === "no such file"
        ? ' (choose another file with -config, or write one with "loom example-config")'
        : "";
    throw new ConfigError(`config: cannot read ${path}: ${reason}${advice}`, { cause: error });
  }
}

function parseToml(tomlText: string, path: string): TomlTable {
  try {
    return parse(tomlText, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message quotes the lines around the error, which may contain a password.
    const reason = error.message.split("\n", 1)[0]?.replace("Invalid TOML document: ", "");
    // The error is not set as the cause either, for the same reason.
    throw new ConfigError(`config: ${path}: line ${error.line}, column ${error.column}: ${reason}`);
  }
}
