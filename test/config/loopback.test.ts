import { expect, test } from "bun:test";
import { isLoopback } from "../../server/config/address-kinds.ts";
import { parseConfig } from "./parse.ts";

function addressOf(text: string) {
  const toml = `[server]\ntls = false\nlisten_address = "${text}"`;
  return parseConfig(toml, {}).server.listenAddress;
}

for (const text of [
  "127.0.0.1:80",
  "127.1.2.3:80",
  "localhost:80",
  "LocalHost:80",
  "[::1]:80",
  "[::ffff:127.0.0.1]:80",
])
  test(`only this machine can reach ${text}`, () => {
    expect(isLoopback(addressOf(text))).toBe(true);
  });

for (const text of [
  ":80",
  "0.0.0.0:80",
  "[::]:80",
  "192.168.1.2:80",
  "[fe80::1]:80",
  "127.example:80",
  "loom.local:80",
])
  test(`other machines can reach ${text}`, () => {
    expect(isLoopback(addressOf(text))).toBe(false);
  });
