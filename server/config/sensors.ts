import { readBoundedFile, UnreadableFileError } from "./bounded-file.ts";
import type { SensorCredential } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { quote } from "./kind.ts";
import type { Environment } from "./read-values.ts";

export interface Sensors {
  readonly sensors: readonly SensorCredential[];
  /** What an operator should know though Loom starts. */
  readonly warnings: readonly string[];
}

interface SourcedCredential extends SensorCredential {
  /** Where it was found, for errors: a variable's name, or a file and a line. */
  readonly source: string;
}

const variablePrefix = "LOOM_SENSOR_";
const maxTokenFileBytes = 1024 * 1024;
const maxTokenBytes = 4096;
const maxSensorIdBytes = 128;

/**
 * Gathers the tokens of the token file (lines "token,sensor_id") and of `LOOM_SENSOR_<id>`.
 * @throws ConfigError beginning with "auth: ", which names sensors, variables and lines but shows no token
 */
export function loadSensors(tokenFile: string | undefined, environment: Environment): Sensors {
  const file = tokenFile === undefined ? { found: [], warnings: [] } : readTokenFile(tokenFile);
  const sensors = mergeCredentials([...file.found, ...readVariables(environment)]);
  if (sensors.length === 0) {
    throw new ConfigError("auth: no tokens configured (set LOOM_SENSOR_<id> or auth.token_file)");
  }
  return { sensors, warnings: file.warnings };
}

function readTokenFile(path: string): { found: SourcedCredential[]; warnings: string[] } {
  const { bytes, mode } = readFileOfTokens(path);
  const found: SourcedCredential[] = [];
  // Bytes that are not UTF-8 become U+FFFD, which no token may hold; in a comment they do no harm.
  const lines = new TextDecoder().decode(bytes).split("\n");
  for (const [index, untrimmed] of lines.entries()) {
    const line = untrimmed.trim();
    if (line === "" || line.startsWith("#")) continue;
    found.push(readLine(line, `${path} line ${index + 1}`));
  }
  const permissions = mode & 0o777;
  // A group that may read is how root hands it to Loom's own user.
  if ((permissions & 0o037) === 0) return { found, warnings: [] };
  const modeText = permissions.toString(8).padStart(4, "0");
  return {
    found,
    warnings: [`auth: token_file ${path} is open to other users: mode ${modeText}, better 0640`],
  };
}

function readFileOfTokens(path: string): ReturnType<typeof readBoundedFile> {
  try {
    return readBoundedFile(path, maxTokenFileBytes);
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new ConfigError(`auth: cannot read token_file ${path}: ${error.message}`, { cause: error });
  }
}

function readLine(line: string, source: string): SourcedCredential {
  const comma = line.indexOf(",");
  // The line is not shown: what has no comma may well be a token.
  if (comma === -1) throw new ConfigError(`auth: ${source}: no comma; allowed: token,sensor_id`);
  const token = line.slice(0, comma).trim();
  const sensorId = line.slice(comma + 1).trim();
  assertToken(token, source);
  assertSensorId(sensorId, source);
  return { sensorId, alias: undefined, token, source };
}

function readVariables(environment: Environment): SourcedCredential[] {
  const found: SourcedCredential[] = [];
  // Sorted, so that the same mistake makes the same message.
  for (const variable of Object.keys(environment).sort()) {
    const token = environment[variable];
    if (!variable.startsWith(variablePrefix) || token === undefined) continue;
    const source = quoteUnlessPlain(variable);
    const spelling = variable.slice(variablePrefix.length);
    assertSensorId(spelling, source);
    assertToken(token, source);
    // A shell allows no "-" in a name. Who could write one meant every "_" as it stands.
    const sensorId = spelling.includes("-") ? spelling : spelling.replaceAll("_", "-");
    found.push({ sensorId, alias: sensorId === spelling ? undefined : spelling, token, source });
  }
  return found;
}

function quoteUnlessPlain(variable: string): string {
  return /^[\w-]+$/.test(variable) && variable.length <= 200 ? variable : quote(variable);
}

/** Visible ASCII: what `Authorization: Bearer …` carries unharmed. */
function assertToken(token: string, source: string): void {
  if (token === "") throw new ConfigError(`auth: ${source}: the token is empty`);
  if (token.length > maxTokenBytes) {
    throw new ConfigError(`auth: ${source}: the token is too long; allowed: ${maxTokenBytes} bytes`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(
      `auth: ${source}: the token has a character that is not allowed; allowed: printable ASCII without blanks`,
    );
  }
}

/** The id is not shown: in a line with its columns swapped it is the token. */
function assertSensorId(sensorId: string, source: string): void {
  if (sensorId === "") throw new ConfigError(`auth: ${source}: the sensor id is empty`);
  if (sensorId.length > maxSensorIdBytes) {
    throw new ConfigError(`auth: ${source}: the sensor id is too long; allowed: ${maxSensorIdBytes} bytes`);
  }
  if (!/^[\x21-\x7e]+$/.test(sensorId) || /["',]/.test(sensorId)) {
    throw new ConfigError(
      `auth: ${source}: the sensor id has a character that is not allowed; allowed: printable ASCII without blanks, commas and quotes`,
    );
  }
}

/**
 * One credential a sensor. The same token for the same sensor may stand in the file and in the environment.
 * Maps, not objects: an id such as "__proto__" is an id.
 */
function mergeCredentials(found: readonly SourcedCredential[]): SensorCredential[] {
  const byToken = new Map<string, SourcedCredential>();
  const bySpelling = new Map<string, SourcedCredential>();
  for (const credential of found) {
    const { sensorId, alias, token, source } = credential;
    const sameToken = byToken.get(token);
    if (sameToken !== undefined && sameToken.sensorId !== sensorId) {
      throw new ConfigError(
        `auth: one token for two sensors: ${quote(sameToken.sensorId)} (${sameToken.source}) and ${quote(sensorId)} (${source})`,
      );
    }
    for (const spelling of alias === undefined ? [sensorId] : [sensorId, alias]) {
      const sameSensor = bySpelling.get(spelling);
      if (sameSensor !== undefined && sameSensor.token !== token) {
        throw new ConfigError(
          `auth: two tokens for one sensor: ${quote(sameSensor.sensorId)} (${sameSensor.source}) and ${quote(sensorId)} (${source})${sensorId === sameSensor.sensorId ? "" : `, both spelled ${quote(spelling)}`}`,
        );
      }
      bySpelling.set(spelling, credential);
    }
    // The last wins, and has the alias if any has: variables follow the file, and "-" sorts before "_".
    byToken.set(token, credential);
  }
  return Array.from(byToken.values(), ({ sensorId, alias, token }) => ({ sensorId, alias, token }));
}
