import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostName } from "../http/host.ts";
import type { Log } from "../telemetry/log.ts";
import { textAnswer } from "./text-answer.ts";

export interface OwnHostsOptions {
  /** `server.management_host_names`, and the name in `server.management_listen_address`; in lower case. */
  readonly names: readonly string[];
  /** The certificate that the port uses at present, in PEM; undefined: plain HTTP. */
  readonly certificate: () => string | undefined;
  readonly log: Log;
}

/** A bound for names that anybody may choose. */
const maxLoggedNames = 16;

/**
 * Refuses requests that a browser sends to a name which is not Loom's. The name of a hostile site may lead to this port (DNS
 * rebinding); the browser then takes Loom for that site, and lets the site's page read the answers. An address is safe,
 * because such a page has a name. A request without a Host header is not from a browser.
 */
export class OwnHosts {
  readonly #names: ReadonlySet<string>;
  readonly #options: OwnHostsOptions;
  readonly #logged = new Set<string>();
  #parsed: { readonly pem: string; readonly certificate: X509Certificate } | undefined;

  constructor(options: OwnHostsOptions) {
    this.#options = options;
    this.#names = new Set(["localhost", ...options.names]);
  }

  /** @returns the answer to a request with a name of others; undefined for every other request */
  refuse(request: Request): Response | undefined {
    const name = hostName(request);
    if (name === undefined || this.#isOwn(name)) return undefined;
    if (!this.#logged.has(name) && this.#logged.size < maxLoggedNames) {
      this.#logged.add(name);
      this.#options.log.warn(
        "a request to an unknown name is refused; if clients reach Loom under it, add it to server.management_host_names",
        { name },
      );
    }
    return textAnswer(
      `The Host header of this request has the name ${name}, which is not a name of this server.\n` +
        "If it should be, add it to server.management_host_names in the configuration of Loom, and restart Loom.\n",
      421,
    );
  }

  #isOwn(name: string): boolean {
    return isIP(name) !== 0 || this.#names.has(name) || this.#isInCertificate(name);
  }

  #isInCertificate(name: string): boolean {
    const pem = this.#options.certificate();
    if (pem === undefined) return false;
    if (this.#parsed?.pem !== pem) this.#parsed = { pem, certificate: new X509Certificate(pem) };
    return this.#parsed.certificate.checkHost(name) !== undefined;
  }
}
