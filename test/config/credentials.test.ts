import { expect, test } from "bun:test";
import { outputValue, parseConfig } from "./parse.ts";
import { refusal } from "./refusal.ts";

const plain = "[server]\ntls = false\n[output]\n";

const credentials = [
  ["clickhouse_user", "LOOM_CLICKHOUSE_USER"],
  ["clickhouse_password", "LOOM_CLICKHOUSE_PASSWORD"],
  ["elasticsearch_user", "LOOM_ELASTICSEARCH_USER"],
  ["elasticsearch_pass", "LOOM_ELASTICSEARCH_PASS"],
  ["elasticsearch_api_key", "LOOM_ELASTICSEARCH_API_KEY"],
] as const;

for (const [key, variable] of credentials) {
  const value = (toml: string, content: string) => outputValue(toml, { [variable]: content }, key);

  test(`${variable} overrides ${key}`, () => {
    expect(value(`${plain}${key} = "file"`, "environment")).toBe("environment");
  });

  test(`${variable} alone is enough`, () => {
    expect(value(plain, "environment")).toBe("environment");
  });

  test(`an empty ${variable} does not override ${key}`, () => {
    expect(value(`${plain}${key} = "file"`, "")).toBe("file");
  });

  test(`a wrong ${variable} is named and not shown`, () => {
    const message = refusal(() => parseConfig(plain, { [variable]: "hunter2\n" }));
    expect(message).toStartWith(`config: output: ${variable} is text (not shown); allowed: text without `);
    expect(message).not.toContain("hunter2");
  });

  test(`a wrong ${key} is not shown`, () => {
    const message = refusal(() => parseConfig(`${plain}${key} = 31337`, {}));
    expect(message).toStartWith(`config: output: ${key} is an integer; allowed: text without `);
    expect(message).not.toContain("31337");
  });
}

test("a user that contains a colon and a password is not shown", () => {
  const message = refusal(() => parseConfig(`${plain}elasticsearch_user = "elastic:hunter2"`, {}));
  expect(message).not.toContain("hunter2");
});

for (const [key, homes] of [
  ["clickhouse_url", "clickhouse_user and clickhouse_password"],
  ["elasticsearch_url", "elasticsearch_user and elasticsearch_pass"],
]) {
  for (const url of [
    "http://loom:hunter2@localhost:8123",
    "ftp://loom:hunter2@localhost",
    "http://loom:hunter2@local host",
    "http://localhost/?user=loom&password=hunter2",
    "http://localhost/#hunter2",
    "loom:hunter2@localhost:8123",
  ]) {
    test(`${key} = "${url}" is refused without being shown, and the error names the keys for credentials`, () => {
      const message = refusal(() => parseConfig(`${plain}${key} = "${url}"`, {}));
      expect(message).toStartWith(`config: output: ${key} is text (not shown)`);
      expect(message).toEndWith(`user and password go to ${homes}`);
      expect(message).not.toContain("hunter2");
    });
  }
}

test("a broker with credentials is not shown", () => {
  const message = refusal(() => parseConfig(`${plain}kafka_brokers = ["loom:hunter2@a:9092"]`, {}));
  expect(message).toStartWith("config: output: kafka_brokers is a list (item text (not shown)");
  expect(message).not.toContain("hunter2");
});
