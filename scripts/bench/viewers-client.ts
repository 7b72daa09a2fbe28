/**
 * Opens viewers of the live tail that use little processor time: they discard what they receive, and stuck ones never read.
 *   bun scripts/bench/viewers-client.ts URL COOKIE '{"queries":["?port=23"],"stuck":[""]}'
 * Prints "ready" when the server has accepted all of them, and runs until it is killed. Exits with status 1 if a connection
 * closes before that.
 */
const [managementUrl = "", cookie = "", viewers = "{}"] = process.argv.slice(2);
const { host, hostname, port } = new URL(managementUrl);
const { queries, stuck }: { queries: string[]; stuck: string[] } = JSON.parse(viewers);

const opened = [...queries.map((query) => open(query, false)), ...stuck.map((query) => open(query, true))];
await Promise.all(opened);
console.log("ready");

async function open(query: string, isStuck: boolean): Promise<void> {
  const accepted = Promise.withResolvers<void>();
  let isAccepted = false;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(`GET /api/v1/tail${query} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
      },
      data(socket, bytes) {
        if (isAccepted) return;
        isAccepted = bytes.subarray(9, 12).toString() === "200";
        if (isAccepted) accepted.resolve();
        else accepted.reject(new Error(`the tail answered ${bytes.subarray(0, 200)}`));
        if (isStuck) socket.pause();
      },
      close() {
        console.error(`the tail closed the connection of a viewer${query === "" ? "" : ` with ${query}`}`);
        process.exit(1);
      },
    },
  });
  return accepted.promise;
}

export {};
