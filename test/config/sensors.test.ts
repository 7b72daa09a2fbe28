import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSensors, type Sensors } from "../../server/config/sensors.ts";
import { refusalOf } from "./refusal.ts";

let folder = "";
let path = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-sensors-"));
  path = join(folder, "tokens.txt");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function loadFile(content: string | Uint8Array, environment: Record<string, string> = {}): Promise<Sensors> {
  writeFileSync(path, content);
  chmodSync(path, 0o600);
  return loadSensors({ tokenFile: path }, environment);
}

describe("the environment", () => {
  for (const [variable, sensorId, alias] of [
    ["LOOM_SENSOR_spip_001", "spip-001", "spip_001"],
    ["LOOM_SENSOR_a_b_c", "a-b-c", "a_b_c"],
    ["LOOM_SENSOR_spip-001", "spip-001", undefined],
    ["LOOM_SENSOR_a-b_c", "a-b_c", undefined],
    ["LOOM_SENSOR_spip", "spip", undefined],
    ["LOOM_SENSOR_SPIP_1", "SPIP-1", "SPIP_1"],
    ["LOOM_SENSOR_de.fra.1", "de.fra.1", undefined],
    ["LOOM_SENSOR_constructor", "constructor", undefined],
  ] as const) {
    test(`${variable} is the sensor ${sensorId}${alias === undefined ? "" : `, also spelled ${alias}`}`, async () => {
      expect((await loadSensors({ tokenFile: undefined }, { [variable]: "t0ken" })).sensors).toEqual([
        { sensorId, alias, token: "t0ken" },
      ]);
    });
  }

  test("only variables with the prefix are read", async () => {
    const environment = { LOOM_SENSOR_a: "t", LOOM_SENSORS: "x", PATH: "y", loom_sensor_b: "z" };
    expect(
      (await loadSensors({ tokenFile: undefined }, environment)).sensors.map(({ sensorId }) => sensorId),
    ).toEqual(["a"]);
  });

  test("a variable that is not set is not read", async () => {
    await expect(loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_a: undefined })).rejects.toThrow(
      "auth: no tokens configured",
    );
  });

  test("an empty token is an error that names the variable", async () => {
    expect(await refusalOf(loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_a: "" }))).toBe(
      "auth: LOOM_SENSOR_a: the token is empty",
    );
  });

  test("a variable without an id is an error that names it", async () => {
    expect(await refusalOf(loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_: "t0ken" }))).toBe(
      "auth: LOOM_SENSOR_: the sensor id is empty",
    );
  });

  test("a token with a line end is refused and not shown", async () => {
    const message = await refusalOf(loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_a: "t0ken\n" }));
    expect(message).toStartWith("auth: LOOM_SENSOR_a: the token has a character that is not allowed");
    expect(message).not.toContain("t0ken");
  });

  test("the error on a variable with unusual characters is one line", async () => {
    expect(
      await refusalOf(loadSensors({ tokenFile: undefined }, { "LOOM_SENSOR_a\n\u001b": "t" })),
    ).toStartWith('auth: "LOOM_SENSOR_a\\n\\u001b": the sensor id has a character');
  });

  test("a sensor must not be called unknown", async () => {
    const message = await refusalOf(loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_unknown: "s3cret" }));
    expect(message).toStartWith('auth: LOOM_SENSOR_unknown: a sensor must not be called "unknown"');
    expect(
      (await loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_unknown_1: "s3cret" })).sensors[0]?.sensorId,
    ).toBe("unknown-1");
  });

  test("a token may contain commas and quotes", async () => {
    expect((await loadSensors({ tokenFile: undefined }, { LOOM_SENSOR_a: `a,"b'` })).sensors[0]?.token).toBe(
      `a,"b'`,
    );
  });
});

describe("the token file", () => {
  test("has one sensor in each line", async () => {
    expect((await loadFile("tok1,spip-001\ntok2,spip_002\n")).sensors).toEqual([
      { sensorId: "spip-001", alias: undefined, token: "tok1" },
      { sensorId: "spip_002", alias: undefined, token: "tok2" },
    ]);
  });

  test("may have a byte order mark, Windows line ends, comments, blank lines and blanks around the comma", async () => {
    const content =
      "\u{feff}tok1 , a\r\n# c\u00f6mment, with comma\r\n\r\n   \t\r\n\ttok2\t,\tb  \r\n  # end";
    expect((await loadFile(content)).sensors.map(({ token, sensorId }) => [token, sensorId])).toEqual([
      ["tok1", "a"],
      ["tok2", "b"],
    ]);
  });

  test("may have comments that are not UTF-8", async () => {
    expect((await loadFile(Buffer.from("# \xe4\ntok,a", "latin1"))).sensors).toHaveLength(1);
  });

  test("may have the id __proto__", async () => {
    expect(
      (await loadFile("tok1,__proto__\ntok2,constructor")).sensors.map(({ sensorId }) => sensorId),
    ).toEqual(["__proto__", "constructor"]);
  });

  test("is combined with the environment", async () => {
    const { sensors } = await loadFile("tok1,a", { LOOM_SENSOR_b: "tok2" });
    expect(sensors.map(({ sensorId }) => sensorId)).toEqual(["a", "b"]);
  });

  test("may have a token of 4096 bytes and an id of 128 bytes", async () => {
    expect((await loadFile(`${"t".repeat(4096)},${"i".repeat(128)}`)).sensors).toHaveLength(1);
  });

  test("may have a line without a comma, which is skipped with a warning that names it and does not show it", async () => {
    const { sensors, warnings } = await loadFile("# first\n\ns3cret\ntok,a\n");
    expect(sensors.map(({ sensorId }) => sensorId)).toEqual(["a"]);
    expect(warnings).toEqual([`auth: ${path} line 3 has no comma and is skipped; allowed: token,sensor_id`]);
  });

  test("is combined with the tokens of the configuration file", async () => {
    writeFileSync(path, "tok1,a");
    const configured = [
      { token: "tok2", sensorId: "b", alias: undefined, source: "entry 1 of [auth.tokens]" },
    ];
    const { sensors } = await loadSensors({ tokenFile: path, sensors: configured }, {});
    expect(sensors.map(({ sensorId }) => sensorId)).toEqual(["b", "a"]);
    const same = [{ ...configured[0], token: "tok1", sensorId: "b" }] as typeof configured;
    expect(await refusalOf(loadSensors({ tokenFile: path, sensors: same }, {}))).toBe(
      `auth: two sensors have the same token: "b" (entry 1 of [auth.tokens]) and "a" (${path} line 1)`,
    );
  });

  const token = "the characters of the token are not allowed";
  for (const [fact, line, problem] of [
    ["an empty token", ",a", "the token is empty"],
    ["an empty id", "s3cret,", "the sensor id is empty"],
    ["a blank in the token", "s3cret x,a", token],
    ["a control character in the token", "s3cret\u0007,a", token],
    ["a character beyond ASCII in the token", "s3cret\u00e4,a", token],
    ["a token of 4097 bytes", `${"s3cret0".repeat(600)},a`, "the token is too long; allowed: 4096 bytes"],
    ["an id of 129 bytes", `s3cret,${"i".repeat(129)}`, "the sensor id is too long; allowed: 128 bytes"],
    ["a comma in the id", "s3cret,a,b", "the sensor id has a character that is not allowed"],
    ["a blank in the id", "s3cret,a # comment", "the sensor id has a character that is not allowed"],
    ["a quote in the id", 's3cret,"a"', "the sensor id has a character that is not allowed"],
    ["the id unknown", "s3cret,unknown", 'a sensor must not be called "unknown"'],
    [
      "a character beyond ASCII in the id",
      "s3cret,\u00e4",
      "the sensor id has a character that is not allowed",
    ],
  ] as const) {
    test(`${fact} is an error that names the line and does not show the token`, async () => {
      const message = await refusalOf(loadFile(`# first\n\n${line}\n`));
      const expected = problem === token ? "the token has a character that is not allowed" : problem;
      expect(message).toStartWith(`auth: ${path} line 3: ${expected}`);
      expect(message).not.toContain("s3cret");
    });
  }

  test("that is missing is named in the error", async () => {
    const missing = join(folder, "missing.txt");
    expect(await refusalOf(loadSensors({ tokenFile: missing }, { LOOM_SENSOR_a: "t" }))).toBe(
      `auth: cannot read token_file ${missing}: no such file`,
    );
  });

  test("that is a directory is named in the error", async () => {
    const directory = join(folder, "directory");
    mkdirSync(directory);
    expect(await refusalOf(loadSensors({ tokenFile: directory }, {}))).toBe(
      `auth: cannot read token_file ${directory}: it is a directory`,
    );
  });

  test("over 1 MiB is refused", async () => {
    expect(await refusalOf(loadFile("#".repeat(1024 * 1024 + 1)))).toBe(
      `auth: cannot read token_file ${path}: larger than 1048576 bytes`,
    );
  });

  test("that only its owner can read causes no warning", async () => {
    expect((await loadFile("tok,a")).warnings).toEqual([]);
  });

  test("that its group can read causes no warning, because root owns it and Loom is in the group", async () => {
    writeFileSync(path, "tok,a");
    chmodSync(path, 0o640);
    expect((await loadSensors({ tokenFile: path }, {})).warnings).toEqual([]);
  });

  test("that others can read causes a warning, and its sensors are used", async () => {
    writeFileSync(path, "tok,a");
    chmodSync(path, 0o644);
    const { sensors, warnings } = await loadSensors({ tokenFile: path }, {});
    expect(warnings).toEqual([
      `auth: token_file ${path} can be read or changed by other users: its mode is 0644; 0640 is recommended`,
    ]);
    expect(sensors).toHaveLength(1);
  });
});

describe("a configuration without tokens", () => {
  const none = "auth: no tokens configured (set LOOM_SENSOR_<id> or auth.token_file)";

  test("is refused without a file", async () => {
    expect(await refusalOf(loadSensors({ tokenFile: undefined }, {}))).toBe(none);
  });

  test("is refused with a file of comments", async () => {
    expect(await refusalOf(loadFile("# nothing\n"))).toBe(none);
  });
});

describe("a collision", () => {
  test("one token for two sensors in the file is refused with both and their lines", async () => {
    expect(await refusalOf(loadFile("s3cret,a\nother,b\ns3cret,c"))).toBe(
      `auth: two sensors have the same token: "a" (${path} line 1) and "c" (${path} line 3)`,
    );
  });

  test("two tokens for one sensor in the file are refused with the sensor and the lines", async () => {
    expect(await refusalOf(loadFile("s3cret1,a\ns3cret2,a"))).toBe(
      `auth: one sensor has two tokens: "a" (${path} line 1) and "a" (${path} line 2)`,
    );
  });

  test("one token in file and environment for two sensors is refused", async () => {
    expect(await refusalOf(loadFile("s3cret,a", { LOOM_SENSOR_b: "s3cret" }))).toBe(
      `auth: two sensors have the same token: "a" (${path} line 1) and "b" (LOOM_SENSOR_b)`,
    );
  });

  test("two tokens in file and environment for one sensor are refused", async () => {
    expect(await refusalOf(loadFile("s3cret1,spip-001", { LOOM_SENSOR_spip_001: "s3cret2" }))).toBe(
      `auth: one sensor has two tokens: "spip-001" (${path} line 1) and "spip-001" (LOOM_SENSOR_spip_001)`,
    );
  });

  test("two variables for one sensor are refused", async () => {
    const environment = { "LOOM_SENSOR_spip-001": "s3cret1", LOOM_SENSOR_spip_001: "s3cret2" };
    expect(await refusalOf(loadSensors({ tokenFile: undefined }, environment))).toBe(
      'auth: one sensor has two tokens: "spip-001" (LOOM_SENSOR_spip-001) and "spip-001" (LOOM_SENSOR_spip_001)',
    );
  });

  test("an alias that is the id of another sensor is refused", async () => {
    expect(await refusalOf(loadFile("s3cret1,spip_001", { LOOM_SENSOR_spip_001: "s3cret2" }))).toBe(
      `auth: one sensor has two tokens: "spip_001" (${path} line 1) and "spip-001" (LOOM_SENSOR_spip_001), both spelled "spip_001"`,
    );
  });

  test("the same token for the same sensor in two places is one sensor with its alias", async () => {
    expect((await loadFile("tok,spip-001\ntok,spip-001", { LOOM_SENSOR_spip_001: "tok" })).sensors).toEqual([
      { sensorId: "spip-001", alias: "spip_001", token: "tok" },
    ]);
  });
});
