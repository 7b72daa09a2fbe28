import { expect, test } from "bun:test";
import { exampleConfig as exampleFor } from "../../server/config/example.ts";
import { recommendedSuites } from "../../server/config/tls-suites.ts";
import { outputDescriptors } from "../../server/outputs/registry.ts";
import { allKeys, allSections, parseConfig, valuesOf } from "./parse.ts";

const keys = Object.entries(allSections).flatMap(([section, sectionKeys]) =>
  Object.entries(sectionKeys).map(([name, key]) => ({ section, name, key, path: `${section}.${name}` })),
);

const exampleConfig = () => exampleFor(outputDescriptors);

/** The example with every key set, including those behind a "#". */
const everything = exampleConfig().replace(/^# (\w+ = |\[\[)/gm, "$1");

test("the example is a valid configuration", () => {
  expect(parseConfig(exampleConfig(), {}).server.tls).toEqual({
    certFile: "/etc/loom/tls.crt",
    keyFile: "/etc/loom/tls.key",
    ciphers: recommendedSuites,
  });
});

test("the example with every key set is a valid configuration too", () => {
  expect(parseConfig(everything, {}).enrichment.geoipDbPath).toBe("/var/lib/loom/GeoLite2-City.mmdb");
});

test("the example has every known key in its section", () => {
  expect([...valuesOf(everything).written].sort()).toEqual(keys.map(({ path }) => path).sort());
});

test("the example has one table of each array of tables, with every key", () => {
  const { ignore } = parseConfig(everything, {});
  expect(ignore).toEqual([
    {
      name: "own-scanners",
      networks: [
        expect.objectContaining({ text: "198.51.100.0/24" }),
        expect.objectContaining({ text: "2001:db8::/32" }),
      ],
      action: "tag",
      tag: "ignored",
    },
  ]);
});

test("the example uses the outputs that are marked for it", () => {
  expect(parseConfig(exampleConfig(), {}).output.type).toEqual(["stdout", "store"]);
});

test("the example sets every other key that has a default to that default", () => {
  const { values, written } = valuesOf(exampleConfig());
  const inExample = new Map<string, unknown>(
    Object.entries(values).flatMap(([section, sectionValues]) =>
      Object.entries(sectionValues).map(([name, value]) => [`${section}.${name}`, value] as const),
    ),
  );
  const withDefault = keys.filter(({ key, path }) => key.fallback !== undefined && path !== "output.type");
  expect(withDefault.map(({ path }) => [path, written.has(path), inExample.get(path)])).toEqual(
    withDefault.map(({ path, key }) => [path, true, key.fallback]),
  );
});

test("the example sets no key without a default, except TLS and its files", () => {
  const withoutDefault = keys.filter(({ key }) => key.fallback === undefined).map(({ path }) => path);
  const { written } = valuesOf(exampleConfig());
  expect(withoutDefault.filter((path) => written.has(path))).toEqual([
    "server.tls",
    "server.cert_file",
    "server.key_file",
  ]);
});

test("the example has each description as a whole, in lines of at most 110 characters", () => {
  const text = exampleConfig().replaceAll("\n# ", " ");
  expect(allKeys.filter(({ description }) => !text.includes(description))).toEqual([]);
  const lines = exampleConfig().split("\n");
  expect(lines.filter((line) => line.length > 110)).toEqual([]);
});

test("the example names every environment variable for credentials", () => {
  const variables = keys.flatMap(({ key }) => (key.environment === undefined ? [] : [key.environment]));
  expect(variables.filter((variable) => !exampleConfig().includes(variable))).toEqual([]);
});

/** The bounds that another key sets. */
const relativeBounds: ReadonlyMap<string, string> = new Map([
  ["max_event_size_bytes", "1 to max_body_size_bytes"],
  ["retry_max_backoff_ms", "retry_backoff_ms to 86400000"],
]);

for (const { name, path, key } of keys) {
  const checked = /^an integer from (\d+ to \d+)/.exec(key.kind.allowed)?.[1];
  if (checked === undefined) continue;
  test(`the comment on ${path} states its bounds`, () => {
    const comment = new RegExp(`((?:^# .*\n)+)(?:# )?${name} = `, "m").exec(exampleConfig())?.[1];
    expect(comment).toContain(relativeBounds.get(name) ?? checked);
  });
}
