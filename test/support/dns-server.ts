import { createSocket } from "node:dgram";
import { parseIpAddress } from "../../server/ip-address.ts";

/**
 * How the server replies to a question: with PTR records (a name, or its labels if they contain dots or unusual bytes), with
 * A and AAAA records, with an RCODE and no records, with a given message, or not at all.
 */
export type DnsReply =
  | { readonly names: readonly (string | readonly string[])[] }
  | { readonly addresses: readonly string[] }
  | { readonly rcode: number }
  | { readonly message: (question: Buffer) => Buffer }
  | "silence";

export const rcodes = { formatError: 1, serverFailure: 2, nameError: 3, refused: 5 } as const;

export interface DnsServer extends AsyncDisposable {
  /** "127.0.0.1:<port>" */
  readonly address: string;
  /** The names in the questions, in the order of receipt. */
  readonly questions: readonly string[];
  /** Returns the reply to a name; a promise delays it. A test may replace this function at any time. */
  answer: (name: string) => DnsReply | Promise<DnsReply>;
  close(): Promise<void>;
}

/** Starts a DNS server on 127.0.0.1 (UDP) that replies to questions as the test says. Port 0 means any free port. */
export async function startDnsServer(answer: DnsServer["answer"], port = 0): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const questions: string[] = [];
  let isClosed = false;
  socket.on("message", async (question, from) => {
    const name = questionName(question);
    questions.push(name);
    const reply = await server.answer(name);
    if (reply !== "silence" && !isClosed) socket.send(encodeReply(question, reply), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, "127.0.0.1", resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      if (isClosed) return resolve();
      isClosed = true;
      socket.close(() => resolve());
    });
  const server: DnsServer = {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    answer,
    close,
    [Symbol.asyncDispose]: close,
  };
  return server;
}

function questionName(question: Buffer): string {
  const labels: string[] = [];
  let at = 12;
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.join(".");
}

function encodeReply(question: Buffer, reply: Exclude<DnsReply, "silence">): Buffer {
  if ("message" in reply) return reply.message(question);
  if ("rcode" in reply) return dnsReply(question, { rcode: reply.rcode });
  if ("addresses" in reply) return dnsReply(question, { records: reply.addresses.map(addressRecord) });
  return dnsReply(question, { records: reply.names.map((name) => dnsRecord(12, dnsName(name))) });
}

/** A reply that repeats the question, with this RCODE (default: 0) and these answer records. */
export function dnsReply(
  question: Buffer,
  { rcode = 0, records = [] }: { readonly rcode?: number; readonly records?: readonly Buffer[] },
): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
}

/** A record of class IN with the name of the question (as a pointer to it) and a TTL of one minute. */
export function dnsRecord(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** An A or AAAA record. */
function addressRecord(text: string): Buffer {
  const groups = parseIpAddress(text) ?? [];
  const data = Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
  return dnsRecord(groups.length === 2 ? 1 : 28, data);
}

/** A name in wire format. If it is given as labels, each may contain any Latin-1 character. */
export function dnsName(name: string | readonly string[]): Buffer {
  const labels = typeof name === "string" ? name.split(".") : name;
  const parts = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1"));
  return Buffer.concat([...parts, Buffer.from([0])]);
}
