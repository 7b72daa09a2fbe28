import { expect, test } from "bun:test";
import type { SetupAnswer } from "../../../server/management/api/answers.ts";
import { createSetupApi, type SetupApiOptions } from "../../../server/management/api/setup.ts";
import { getJson } from "../../support/api.ts";
import { createCertificate } from "../../support/certificate.ts";

const plain: SetupApiOptions = {
  host: undefined,
  port: () => 8443,
  certificate: () => undefined,
  tokenFile: undefined,
};
const setup = (options: Partial<SetupApiOptions> = {}) =>
  getJson<SetupAnswer>(createSetupApi({ ...plain, ...options }), "/api/v1/setup");

test("plain HTTP on every interface", async () => {
  expect(await setup()).toEqual({
    ingest: { isTls: false, port: 8443, host: null, isCertificateSelfSigned: false },
    tokenFile: null,
  });
});

test("one interface, and a file for tokens", async () => {
  expect(await setup({ host: "192.0.2.1", tokenFile: "/etc/loom/tokens.txt" })).toMatchObject({
    ingest: { host: "192.0.2.1" },
    tokenFile: "/etc/loom/tokens.txt",
  });
});

test("a self-signed certificate is told from one that a CA signed", async () => {
  const { cert } = createCertificate("loom.example");
  expect((await setup({ certificate: () => cert })).ingest).toMatchObject({
    isTls: true,
    isCertificateSelfSigned: true,
  });
  const { cert: issued } = createCertificate("loom.example", undefined, "Some Authority");
  expect((await setup({ certificate: () => issued })).ingest).toMatchObject({
    isTls: true,
    isCertificateSelfSigned: false,
  });
});
