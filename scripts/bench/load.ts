/** A client that uses little processor time: it sends prepared bytes and reads only the status line, over a few open connections. */
import { benchBatch } from "./batches.ts";
import { type BodyForm, benchBody } from "./body-form.ts";

const [url = "", token = "", eventsText = "", secondsText = "", connectionsText = "", form = "array"] =
  process.argv.slice(2);
const events = Number(eventsText);
const { hostname, port } = new URL(url);
// Each connection sends a different batch.
const requests = Array.from({ length: Number(connectionsText) }, () =>
  requestWith(benchBody(benchBatch(events), form as BodyForm)),
);
const until = performance.now() + Number(secondsText) * 1000;
let answered = 0;
let refused = 0;

function requestWith({ headers, body }: ReturnType<typeof benchBody>): Buffer {
  const head = `POST /api/v1/ingest HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n${headers}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

async function sendUntilOver(request: Buffer): Promise<void> {
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
        if (performance.now() < until) sent = socket.write(request);
        else socket.end();
      },
      close: () => over.resolve(),
      error: (_, error) => over.reject(error),
    },
  });
  return over.promise;
}

const startedAt = performance.now();
await Promise.all(requests.map(sendUntilOver));
const seconds = (performance.now() - startedAt) / 1000;
console.log(JSON.stringify({ eventsPerSecond: (answered * events) / seconds, refused }));
