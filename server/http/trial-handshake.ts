import { connect, type SecureVersion } from "node:tls";

const cure = "use a certificate with an ECDSA P-256 key, or an RSA key of 2048 bits or more";
const maxWaitMs = 5_000;
/** All that servers support, so that the key alone decides. P-521 is not among the defaults of clients. */
const curves = "X25519:P-256:P-384:P-521";

export interface TrialCertificate {
  /** In PEM: the certificate, then its chain. */
  readonly cert: string;
  /** In PEM. */
  readonly key: string;
  /** The cipher suites for TLS 1.2, as OpenSSL writes such a list. */
  readonly ciphers: string;
}

/**
 * Connects to a server with a certificate, on a free port of the loopback interface. A certificate that can be parsed may
 * still be one that no client can use, for example because its key is too short for the signatures of TLS 1.3.
 * @returns why clients cannot connect; undefined if they can, or if the trial is not possible on this machine
 */
export async function tryHandshake({ cert, key, ciphers }: TrialCertificate): Promise<string | undefined> {
  let server: ReturnType<typeof Bun.serve>;
  try {
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response(null, { status: 404 }),
      development: false,
      tls: { cert, key, ciphers },
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code?.startsWith("ERR_OSSL")
      ? `its chain or its kind of key is not supported (${reasonIn(message)})`
      : undefined;
  }
  try {
    const port = Number(server.port);
    const failure = await failureOf(port, {});
    if (failure !== undefined) return `clients cannot connect with it (${failure}); ${cure}`;
    const failure12 = await failureOf(port, { maxVersion: "TLSv1.2" });
    if (failure12 !== undefined)
      return `clients with TLS 1.2 cannot connect with it and the suites of tls_ciphers (${failure12}); name a suite for its key there, or ${cure}`;
  } finally {
    await server.stop(true);
  }
}

/** Why a handshake fails; undefined if it succeeds, or does not end in time, which says nothing about the certificate. */
function failureOf(
  port: number,
  versions: { readonly maxVersion?: SecureVersion },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      // Whether clients trust the certificate is not in question.
      rejectUnauthorized: false,
      ecdhCurve: curves,
      ...versions,
    });
    const timer = setTimeout(() => end(undefined), maxWaitMs);
    socket.on("secureConnect", () => end(undefined));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      end(error.code?.startsWith("ERR_SSL") ? reasonIn(error.message) : undefined),
    );

    function end(failure: string | undefined): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    }
  });
}

/** The last part of "error:10000410:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE". */
function reasonIn(message: string): string {
  return message.slice(message.lastIndexOf(":") + 1);
}
