/**
 * A client that uses little processor time: it sends prepared bytes, in which it overwrites only addresses, and reads only the
 * status line, over a few open connections.
 */
import { addressPlaceholder, longAddress } from "./addresses.ts";
import { benchBatch } from "./batches.ts";
import { type BodyForm, benchBody } from "./body-form.ts";

const [url = "", token = "", form = "array", ...numbers] = process.argv.slice(2);
const [events = 0, seconds = 0, connections = 0, newEvery = 0, inTurn = 0] = numbers.map(Number);
const { hostname, port } = new URL(url);
// Each connection sends a different batch.
const requests = Array.from({ length: connections }, () =>
  requestWith(benchBody(benchBatch(events, newEvery), form as BodyForm)),
);
const until = performance.now() + seconds * 1000;
let answered = 0;
let refused = 0;
/** The number of addresses that were written. A run begins where no other has been. */
let written = Math.floor(Math.random() * inTurn);

function requestWith({ headers, body }: ReturnType<typeof benchBody>): Buffer {
  const head = `POST /api/v1/ingest HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n${headers}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function placeholdersIn(request: Buffer): number[] {
  const positions: number[] = [];
  for (
    let at = request.indexOf(addressPlaceholder);
    at >= 0;
    at = request.indexOf(addressPlaceholder, at + 1)
  )
    positions.push(at);
  const expected = newEvery > 0 ? Math.ceil(events / newEvery) : 0;
  if (positions.length !== expected)
    throw new Error(`${positions.length} addresses can be written, not ${expected}`);
  return positions;
}

async function sendUntilOver(request: Buffer): Promise<void> {
  const positions = placeholdersIn(request);
  const writeAddresses = () => {
    for (const at of positions) request.write(longAddress(written++ % inTurn), at, "latin1");
  };
  writeAddresses();
  const over = Promise.withResolvers<void>();
  let sent = 0;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        sent = socket.write(request);
      },
      drain(socket) {
        sent += socket.write(request.subarray(sent));
      },
      data(socket, answer) {
        if (answer.subarray(9, 12).toString() === "204") answered++;
        else refused++;
        if (performance.now() >= until) socket.end();
        else {
          writeAddresses();
          sent = socket.write(request);
        }
      },
      close: () => over.resolve(),
      error: (_, error) => over.reject(error),
    },
  });
  return over.promise;
}

const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await Promise.all(requests.map(sendUntilOver));
const elapsedMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
console.log(
  JSON.stringify({
    eventsPerSecond: (answered * events * 1000) / elapsedMs,
    events: answered * events,
    refused,
    coreShare: (user + system) / 1000 / elapsedMs,
  }),
);
