import type { AnyElysia } from "elysia";
import { isLoopback } from "../config/address-kinds.ts";
import type { ListenAddress } from "../config/config.ts";
import { RequestConnections } from "../http/connection.ts";
import { Listener } from "../http/listener.ts";
import type { TlsCertificate } from "../http/tls-certificate.ts";
import type { Log } from "../telemetry/log.ts";
import type { HealthOptions } from "./health.ts";
import { createManagementApp } from "./management-app.ts";
import { embeddedPageFiles } from "./page-files.ts";
import type { Sessions } from "./sign-in/sessions.ts";
import { createSignIn } from "./sign-in/sign-in.ts";

export interface ManagementServerOptions extends HealthOptions {
  readonly address: ListenAddress;
  /** undefined: plain HTTP. */
  readonly certificate: TlsCertificate | undefined;
  /** undefined: links in the log let in, each once. */
  readonly adminToken: string | undefined;
  /** The API beside the session's. */
  readonly routes: (sessions: Sessions) => readonly AnyElysia[];
  readonly version: string;
  readonly log: Log;
}

export interface ManagementServer {
  readonly port: number;
  /** Lets in once; undefined: the admin token does. */
  signInLink(): string | undefined;
  /** Takes another certificate for new connections; none where there was none. */
  useCertificate(certificate: TlsCertificate): void;
  stop(): Promise<void>;
}

/** Listens on the management port and says in the log where, and how to get in. @throws ListenError */
export function startManagementServer(options: ManagementServerOptions): ManagementServer {
  const { address, certificate, adminToken, log } = options;
  const isTls = certificate !== undefined;
  const listener = new Listener({ name: "management", address, certificate });
  const connections = new RequestConnections();
  const signIn = createSignIn({
    adminToken,
    isTls,
    log,
    origin: () => (listener.isListening ? { address, port: listener.port, isTls } : undefined),
    clientOf: (request) => connections.get(request).clientAddress,
  });
  const app = createManagementApp({
    ...options,
    signIn,
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
    log.warn("the management port is open to other machines without TLS; see server.management_tls", {
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
