/**
 * Viewers of the live tail that cost as little as they can: what comes is thrown away; those that are stuck never read.
 *   bun scripts/bench/viewers-client.ts URL COOKIE '{"queries":["?port=23"],"stuck":[""]}'
 * Says "ready" once all of them are let in, and goes on until it is ended; with status 1 when one is closed before that.
 */
const [managementUrl = "", cookie = "", viewers = "{}"] = process.argv.slice(2);
const { host, hostname, port } = new URL(managementUrl);
const { queries, stuck }: { queries: string[]; stuck: string[] } = JSON.parse(viewers);

const opened = [...queries.map((query) => open(query, false)), ...stuck.map((query) => open(query, true))];
await Promise.all(opened);
console.log("ready");

async function open(query: string, isStuck: boolean): Promise<void> {
  const letIn = Promise.withResolvers<void>();
  let isLetIn = false;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(`GET /api/v1/tail${query} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
      },
      data(socket, bytes) {
        if (isLetIn) return;
        isLetIn = bytes.subarray(9, 12).toString() === "200";
        if (isLetIn) letIn.resolve();
        else letIn.reject(new Error(`the tail answered ${bytes.subarray(0, 200)}`));
        if (isStuck) socket.pause();
      },
      close() {
        console.error(`the tail closed the connection of a viewer${query === "" ? "" : ` with ${query}`}`);
        process.exit(1);
      },
    },
  });
  return letIn.promise;
}

export {};
