import { X509Certificate } from "node:crypto";
import { Elysia } from "elysia";
import type { SetupAnswer } from "./answers.ts";
import { jsonAnswer } from "./json-answer.ts";

export interface SetupApiOptions {
  /** The address that the ingest port listens on; undefined: all interfaces. */
  readonly host: string | undefined;
  readonly port: () => number;
  /** The certificate that sensors see at present, PEM; undefined: plain HTTP. */
  readonly certificate: () => string | undefined;
  readonly tokenFile: string | undefined;
}

/** `GET /api/v1/setup` */
export function createSetupApi({ host, port, certificate, tokenFile }: SetupApiOptions) {
  return new Elysia({ strictPath: true }).get("/api/v1/setup", () => {
    const pem = certificate();
    const answer: SetupAnswer = {
      ingest: {
        isTls: pem !== undefined,
        port: port(),
        host: host ?? null,
        isCertificateSelfSigned: pem !== undefined && isSelfSigned(pem),
      },
      tokenFile: tokenFile ?? null,
    };
    return jsonAnswer(answer);
  });
}

/** Clients do not trust a self-signed certificate unless they are configured to. */
function isSelfSigned(pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.checkIssued(certificate);
}
