import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCertificateAuthorities } from "../../../server/outputs/http/certificates.ts";

test("the certificates are read as they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loom-ca-"));
  writeFileSync(join(folder, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
  expect(await readCertificateAuthorities("elasticsearch_ca_file", join(folder, "ca.pem"))).toBe(
    "-----BEGIN CERTIFICATE-----\n",
  );
  rmSync(folder, { recursive: true });
});

test("a missing file is an error that names the key and the file", async () => {
  await expect(readCertificateAuthorities("elasticsearch_ca_file", "/nowhere/ca.pem")).rejects.toThrow(
    "output: elasticsearch_ca_file: cannot read /nowhere/ca.pem: no such file",
  );
});
