import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Passes bytes between clients and a server on 127.0.0.1, and counts the connections. */
export interface CountingProxy extends Disposable {
  readonly port: number;
  readonly connectionCount: number;
}

export async function startCountingProxy(serverPort: number): Promise<CountingProxy> {
  let connectionCount = 0;
  const proxy = createServer((client) => {
    connectionCount++;
    const server = connect(serverPort, "127.0.0.1");
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    get connectionCount() {
      return connectionCount;
    },
    [Symbol.dispose]: () => void proxy.close(),
  };
}
