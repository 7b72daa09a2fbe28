import { describe, expect, setDefaultTimeout, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { commands } from "../../server/cli/commands.ts";
import { maxTestMs, runToEnd, startExecutable } from "../support/executable.ts";

setDefaultTimeout(maxTestMs);

describe("commands that print a text write it to stdout, nothing to stderr, and exit with status 0", () => {
  const cases: [args: string[], expected: string | RegExp][] = [
    [["version"], `loom ${manifest.version} (Bun ${Bun.version}, ${process.platform} ${process.arch})\n`],
    [["version"], /^ {2}countries, \d{4}-\d\d-\d\d: .*CC0 1\.0$/m],
    [["version"], /^ {2}networks, \d{4}-\d\d-\d\d: RouteViews.*DB-IP \(https:\/\/db-ip\.com\).*CC BY 4\.0$/m],
    [["--version"], /^loom /],
    [["help"], /Usage:/],
    [["--help"], /Usage:/],
    [["-h"], /Usage:/],
    [["example-config"], /\[server\]/],
    [["schema", "clickhouse"], /CREATE TABLE[^;]*`event` String/],
    [["schema", "elasticsearch"], /"index_patterns"/],
  ];
  for (const [args, expected] of cases)
    test(`loom ${args.join(" ")} prints ${expected}`, async () => {
      const { status, stdout, stderr } = await runToEnd({ args });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(expected);
    });
});

test("the help text has every command, and no other one", async () => {
  const { stdout } = await runToEnd({ args: ["help"] });
  const named = [...stdout.matchAll(/^ {2}loom ([a-z][a-z-]+)/gm)].map((match) => match[1]);
  expect([...new Set(named)]).toEqual(commands.flatMap(({ name }) => name ?? []));
});

describe("wrong arguments give status 2 and one line on stderr", () => {
  for (const args of [
    ["serve"],
    ["-c", "loom.toml"],
    ["-config"],
    ["-config", ""],
    ["-config="],
    ["-config", "a.toml", "b.toml"],
    ["--token=abc"],
    ["version", "now"],
    ["schema"],
    ["schema", "kafka"],
    ["help", "me"],
    ["example-config", "-config"],
    ["demo", "now"],
    ["demo", "-listen"],
    ["demo", "-listen-address"],
    [""],
  ])
    test(`loom ${args.map((arg) => arg || '""').join(" ")}`, async () => {
      const { status, stdout, stderr } = await runToEnd({ args });
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/^loom[^\n]+loom help"\n$/);
    });
});

test("an unknown command is named", async () => {
  const { status, stderr } = await runToEnd({ args: ["strat"] });
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'loom: unknown command "strat"; see "loom help"\n',
  });
});

test("control characters in an argument are escaped", async () => {
  const { stderr } = await runToEnd({ args: ["\u001b[31mred\nline"] });
  expect(stderr).toMatch(/^[^\u0000-\u0009\u000b-\u001f]+\n$/);
});

for (const args of [
  ["-config", "other.toml"],
  ["--config", "other.toml"],
  ["-config=other.toml"],
  ["--config=other.toml"],
])
  test(`loom ${args.join(" ")} starts with that file`, async () => {
    const config = '[server]\ntls = false\nlisten_address = "127.0.0.1:0"\n';
    await using loom = await startExecutable({ args, files: { "other.toml": config } });
    expect((await loom.logged("started"))[0]?.config).toBe("other.toml");
  });

test("without arguments, loom.toml is the configuration", async () => {
  await using loom = await startExecutable({ args: [] });
  expect((await loom.logged("started"))[0]?.config).toBe("loom.toml");
});

test("the output of example-config is a valid configuration", async () => {
  const { stdout } = await runToEnd({ args: ["example-config"] });
  const { stderr } = await runToEnd({ config: stdout });
  // The configuration is valid: the start fails only later, at the certificate.
  expect(stderr).toBe("config: server: cannot read cert_file /etc/loom/tls.crt: no such file\n");
});
