import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { until } from "./until.ts";

/** A TCP or TLS connection over which a test sends any bytes. */
export interface RawConnection extends Disposable {
  send(data: string | Uint8Array): void;
  /** Resolves to true when the system has accepted the data, and to false if the connection is closed. */
  sendAll(data: string | Uint8Array): Promise<boolean>;
  /** Everything that was received. */
  received(): string;
  /** Waits until this many answers have begun to arrive. @returns their statuses */
  statuses(count: number, maxWaitMs?: number): Promise<readonly number[]>;
  readonly isClosed: boolean;
  closed(maxWaitMs?: number): Promise<unknown>;
  /** The common name of the server's certificate. */
  commonName(): string | undefined;
}

export async function openConnection(port: number, transport: "tcp" | "tls" = "tcp"): Promise<RawConnection> {
  const socket =
    transport === "tcp"
      ? connect({ port, host: "127.0.0.1" })
      : connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  const chunks: Buffer[] = [];
  let isClosed = false;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Tests see that the server closed the connection in `isClosed`.
  socket.on("error", () => {});
  const whenClosed = new Promise<false>((resolve) => {
    socket.on("close", () => {
      isClosed = true;
      resolve(false);
    });
  });
  socket.on("end", () => socket.end());
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once(transport === "tcp" ? "connect" : "secureConnect", () => resolve());
  });
  const received = () => Buffer.concat(chunks).toString("latin1");
  return {
    send: (data) => void socket.write(data),
    sendAll(data) {
      const sent = new Promise<boolean>((resolve) => socket.write(data, (error) => resolve(!error)));
      return isClosed ? whenClosed : Promise.race([sent, whenClosed]);
    },
    received,
    statuses: (count, maxWaitMs) =>
      until(
        `${count} answers`,
        () => {
          const found = [...received().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
          if (isClosed && found.length < count) throw new Error(`closed after ${found.length} answers`);
          return found.length >= count && found;
        },
        maxWaitMs,
      ),
    get isClosed() {
      return isClosed;
    },
    closed: (maxWaitMs) => until("the connection is closed", () => isClosed, maxWaitMs),
    commonName: () => (socket as TLSSocket).getPeerCertificate().subject.CN?.toString(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
