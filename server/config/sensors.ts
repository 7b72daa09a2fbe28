import type { TomlTable } from "smol-toml";
import { type FileContent, readBoundedFile, UnreadableFileError } from "../bounded-file.ts";
import { ConfigError } from "./config-error.ts";
import { quote } from "./kind.ts";
import type { Environment } from "./read-values.ts";

/** One sensor and its token. */
export interface SensorCredential {
  readonly sensorId: string;
  /** Another spelling of the id that `X-Spip-ID` may have: the one in the name of the environment variable. */
  readonly alias: string | undefined;
  readonly token: string;
}

export interface TokenSources {
  readonly tokenFile: string | undefined;
  /** Those of [auth.tokens]. */
  readonly sensors?: readonly SourcedCredential[];
}

export interface Sensors {
  readonly sensors: readonly SensorCredential[];
  /** Problems that do not stop Loom from starting. */
  readonly warnings: readonly string[];
}

export interface SourcedCredential extends SensorCredential {
  /** Where the token was found, for errors: the name of a variable, or a file and a line. */
  readonly source: string;
}

const variablePrefix = "LOOM_SENSOR_";
const maxTokenFileBytes = 1024 * 1024;
const maxTokenBytes = 4096;
const maxSensorIdBytes = 128;
/** Stands for the sensor of a request that was refused before its sensor was known, so no sensor may have this id. */
export const unknownSensorId = "unknown";

/**
 * Reads the tokens of the token file (lines "token,sensor_id") and of `LOOM_SENSOR_<id>`.
 * @param configured the tokens of the configuration file
 * @throws ConfigError that begins with "auth: ". It names sensors, variables and lines, but does not show tokens
 */
export async function loadSensors(
  { tokenFile, sensors: configured = [] }: TokenSources,
  environment: Environment,
): Promise<Sensors> {
  const file = tokenFile === undefined ? { found: [], warnings: [] } : await readTokenFile(tokenFile);
  const sensors = mergeCredentials([...configured, ...file.found, ...readVariables(environment)]);
  if (sensors.length === 0) {
    throw new ConfigError("auth: no tokens configured (set LOOM_SENSOR_<id> or auth.token_file)");
  }
  return { sensors, warnings: file.warnings };
}

async function readTokenFile(path: string): Promise<{ found: SourcedCredential[]; warnings: string[] }> {
  const { bytes, mode } = await readFileOfTokens(path);
  const found: SourcedCredential[] = [];
  const warnings: string[] = [];
  // Bytes that are not UTF-8 become U+FFFD, which a token may not contain. In a comment they are harmless.
  const lines = new TextDecoder().decode(bytes).split("\n");
  for (const [index, untrimmed] of lines.entries()) {
    const line = untrimmed.trim();
    if (line === "" || line.startsWith("#")) continue;
    const source = `${path} line ${index + 1}`;
    const credential = readLine(line, source);
    // The line is not shown, because it may be a token.
    if (credential) found.push(credential);
    else warnings.push(`auth: ${source} has no comma and is skipped; allowed: token,sensor_id`);
  }
  const permissions = mode & 0o777;
  // The group may read the file: root owns it, and Loom's user is in the group.
  if ((permissions & 0o037) !== 0) {
    const modeText = permissions.toString(8).padStart(4, "0");
    warnings.push(
      `auth: token_file ${path} can be read or changed by other users: its mode is ${modeText}; 0640 is recommended`,
    );
  }
  return { found, warnings };
}

async function readFileOfTokens(path: string): Promise<FileContent> {
  try {
    return await readBoundedFile(path, maxTokenFileBytes);
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new ConfigError(`auth: cannot read token_file ${path}: ${error.message}`, { cause: error });
  }
}

/** @returns undefined for a line without a comma, which the Go program of the same name skips */
function readLine(line: string, source: string): SourcedCredential | undefined {
  const comma = line.indexOf(",");
  if (comma === -1) return undefined;
  const token = line.slice(0, comma).trim();
  const sensorId = line.slice(comma + 1).trim();
  assertToken(token, source);
  assertSensorId(sensorId, source);
  return { sensorId, alias: undefined, token, source };
}

/**
 * Reads `[auth.tokens]`, whose keys are tokens and whose values are sensor ids.
 * @throws ConfigError that does not show a token
 */
export function readTokenTable(table: TomlTable): SourcedCredential[] {
  return Object.entries(table).map(([token, sensorId], index) => {
    const source = `entry ${index + 1} of [auth.tokens]`;
    if (typeof sensorId !== "string")
      throw new ConfigError(`auth: ${source}: the value is not a string; allowed: "token" = "sensor_id"`);
    assertToken(token, source);
    assertSensorId(sensorId, source);
    return { sensorId, alias: undefined, token, source };
  });
}

function readVariables(environment: Environment): SourcedCredential[] {
  const found: SourcedCredential[] = [];
  // Sorted, so that the same mistake always gives the same message.
  for (const variable of Object.keys(environment).sort()) {
    const token = environment[variable];
    if (!variable.startsWith(variablePrefix) || token === undefined) continue;
    const source = quoteUnlessPlain(variable);
    const spelling = variable.slice(variablePrefix.length);
    assertSensorId(spelling, source);
    assertToken(token, source);
    // Shells do not allow "-" in names, so "_" means "-". A name with "-" did not come from a shell: its "_" stay.
    const sensorId = spelling.includes("-") ? spelling : spelling.replaceAll("_", "-");
    found.push({ sensorId, alias: sensorId === spelling ? undefined : spelling, token, source });
  }
  return found;
}

function quoteUnlessPlain(variable: string): string {
  return /^[\w-]+$/.test(variable) && variable.length <= 200 ? variable : quote(variable);
}

/** Visible ASCII: the characters that `Authorization: Bearer …` can carry. */
function assertToken(token: string, source: string): void {
  if (token === "") throw new ConfigError(`auth: ${source}: the token is empty`);
  if (token.length > maxTokenBytes) {
    throw new ConfigError(`auth: ${source}: the token is too long; allowed: ${maxTokenBytes} bytes`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(
      `auth: ${source}: the token has a character that is not allowed; allowed: printable ASCII without spaces`,
    );
  }
}

function assertSensorId(sensorId: string, source: string): void {
  const fault = sensorIdFault(sensorId);
  if (fault !== undefined) throw new ConfigError(`auth: ${source}: ${fault}`);
}

/**
 * What is wrong with a sensor id; undefined: nothing. The id is not shown: in a line of the token file whose columns are
 * swapped it is the token.
 */
export function sensorIdFault(sensorId: string): string | undefined {
  if (sensorId === "") return "the sensor id is empty";
  if (sensorId.length > maxSensorIdBytes)
    return `the sensor id is too long; allowed: ${maxSensorIdBytes} bytes`;
  if (!/^[\x21-\x7e]+$/.test(sensorId) || /["',]/.test(sensorId))
    return "the sensor id has a character that is not allowed; allowed: printable ASCII without spaces, commas and quotes";
  if (sensorId === unknownSensorId)
    return `a sensor must not be called ${quote(unknownSensorId)}, because the metrics use that name for requests from unknown sensors`;
  return undefined;
}

/**
 * One credential for each sensor. The file and the environment may have the same token for the same sensor.
 * Maps are used instead of objects because an id may be "__proto__".
 */
function mergeCredentials(found: readonly SourcedCredential[]): SensorCredential[] {
  const byToken = new Map<string, SourcedCredential>();
  const bySpelling = new Map<string, SourcedCredential>();
  for (const credential of found) {
    const { sensorId, alias, token, source } = credential;
    const sameToken = byToken.get(token);
    if (sameToken !== undefined && sameToken.sensorId !== sensorId) {
      throw new ConfigError(
        `auth: two sensors have the same token: ${quote(sameToken.sensorId)} (${sameToken.source}) and ${quote(sensorId)} (${source})`,
      );
    }
    for (const spelling of alias === undefined ? [sensorId] : [sensorId, alias]) {
      const sameSensor = bySpelling.get(spelling);
      if (sameSensor !== undefined && sameSensor.token !== token) {
        throw new ConfigError(
          `auth: one sensor has two tokens: ${quote(sameSensor.sensorId)} (${sameSensor.source}) and ${quote(sensorId)} (${source})${sensorId === sameSensor.sensorId ? "" : `, both spelled ${quote(spelling)}`}`,
        );
      }
      bySpelling.set(spelling, credential);
    }
    // The last one is used. It has the alias if any of them has: variables follow the file, and "-" sorts before "_".
    byToken.set(token, credential);
  }
  return Array.from(byToken.values(), ({ sensorId, alias, token }) => ({ sensorId, alias, token }));
}
