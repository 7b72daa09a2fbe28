import type { AnyElysia } from "elysia";
import { isLoopback } from "../config/address-kinds.ts";
import type { ListenAddress } from "../config/config.ts";
import { RequestConnections } from "../http/connection.ts";
import { Listener } from "../http/listener.ts";
import type { TlsCertificate } from "../http/tls-certificate.ts";
import type { Network } from "../network.ts";
import type { Log } from "../telemetry/log.ts";
import type { HealthOptions } from "./health.ts";
import { createManagementApp } from "./management-app.ts";
import { OwnHosts } from "./own-hosts.ts";
import { embeddedPageFiles } from "./page-files.ts";
import type { Sessions } from "./sign-in/sessions.ts";
import { createSignIn } from "./sign-in/sign-in.ts";

export interface ManagementServerOptions extends HealthOptions {
  readonly address: ListenAddress;
  /** undefined: plain HTTP. */
  readonly certificate: TlsCertificate | undefined;
  /** The names under which clients may reach the port, apart from its own; in lower case. */
  readonly hostNames: readonly string[];
  readonly trustedProxies: readonly Network[];
  /** undefined: the log has sign-in links, each of which works once. */
  readonly adminToken: string | undefined;
  /** The routes of the API without those of the session. */
  readonly routes: (sessions: Sessions) => readonly AnyElysia[];
  readonly version: string;
  readonly log: Log;
}

export interface ManagementServer {
  readonly port: number;
  /** A link that works once; undefined if there is an admin token. */
  signInLink(): string | undefined;
  /** Uses another certificate for new connections. Does nothing if the port does not use TLS. */
  useCertificate(certificate: TlsCertificate): void;
  stop(): Promise<void>;
}

/** Listens on the management port, and logs its address and how to sign in. @throws ListenError */
export function startManagementServer(options: ManagementServerOptions): ManagementServer {
  const { address, certificate, trustedProxies, adminToken, log } = options;
  const isTls = certificate !== undefined;
  const listener = new Listener({ name: "management", address, certificate, trustedProxies });
  const connections = new RequestConnections();
  const signIn = createSignIn({
    adminToken,
    isTls,
    log,
    origin: () => (listener.isListening ? { address, port: listener.port, isTls } : undefined),
    clientOf: (request) => connections.get(request).clientAddress,
  });
  const ownHosts = new OwnHosts({
    names:
      address.host === undefined ? options.hostNames : [...options.hostNames, address.host.toLowerCase()],
    certificate: () => listener.certificate?.cert,
    log: log.component("management"),
  });
  const app = createManagementApp({
    ...options,
    signIn,
    ownHosts,
    pageFiles: embeddedPageFiles(),
    routes: options.routes(signIn.sessions),
  });
  listener.listen((request, connection) => {
    connections.set(request, connection);
    return app.handle(request);
  });
  const { port, addressText } = listener;
  log.info("management server listening", { addr: addressText });
  if (!isTls && !isLoopback(address))
    log
      .component("management")
      .warn("the management port is reachable from other machines without TLS; set server.management_tls", {
        addr: addressText,
      });
  signIn.announceLink();
  return {
    port,
    signInLink: signIn.link,
    useCertificate: (next) => listener.useCertificate(next),
    async stop() {
      await listener.stop(0);
      signIn.stop();
    },
  };
}
