import { describe, expect, test } from "bun:test";
import { encodeQuestion, ptrName, readAnswer, recordTypes } from "../../server/enrich/reverse-dns-message.ts";
import { dnsName, dnsRecord, dnsReply, rcodes } from "../support/dns-server.ts";

const question = encodeQuestion(0xbeef, "4.3.2.1.in-addr.arpa", recordTypes.ptr);
const typeCname = 5;
const typeTxt = 16;

function answerWith(...names: (string | string[])[]) {
  const records = names.map((name) => dnsRecord(recordTypes.ptr, dnsName(name)));
  return readAnswer(dnsReply(question, { records }), question);
}

describe("the name of an address's PTR records", () => {
  test("has the bytes of an IPv4 address backwards", () => {
    expect(ptrName("192.0.2.10")).toBe("10.2.0.192.in-addr.arpa");
  });

  test.each([
    ["2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
    ["2001:0db8:1:2:3:4:5:6", "6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
    ["2001:db8::", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
    ["64:ff9b::192.0.2.1", "1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa"],
  ])("has the nibbles of %s backwards", (address, name) => {
    expect(ptrName(address)).toBe(name);
  });

  test.each(["", "1.2.3", "example.com", "fe80::1%eth0", "1.2.3.4.in-addr.arpa"])(
    "is not made for %p",
    (text) => {
      expect(ptrName(text)).toBeUndefined();
    },
  );
});

test("a question asks for PTR records of class IN, recursion desired", () => {
  expect(encodeQuestion(0x0102, "1.in-addr.arpa", recordTypes.ptr).toString("latin1")).toBe(
    "\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x011\x07in-addr\x04arpa\0\0\x0c\0\x01",
  );
});

describe("an answer to a question for addresses", () => {
  const ipv4 = Buffer.from([192, 0, 2, 1]);
  const ipv6 = Buffer.from("20010db8000000000000000000000001", "hex");

  function addressesIn(type: 1 | 28, records: readonly Buffer[]) {
    const asked = encodeQuestion(0xbeef, "host.example", type);
    return readAnswer(dnsReply(asked, { records }), asked);
  }

  test("gives the IPv4 addresses of A records", () => {
    const records = [dnsRecord(1, ipv4), dnsRecord(28, ipv6), dnsRecord(1, Buffer.from([198, 51, 100, 255]))];
    expect(addressesIn(1, records)).toEqual({ kind: "found", values: ["192.0.2.1", "198.51.100.255"] });
  });

  test("gives the IPv6 addresses of AAAA records", () => {
    const records = [dnsRecord(1, ipv4), dnsRecord(28, ipv6)];
    expect(addressesIn(28, records)).toEqual({ kind: "found", values: ["2001:db8::1"] });
  });

  test.each<[1 | 28, Buffer]>([
    [1, ipv6],
    [28, ipv4],
    [1, Buffer.alloc(0)],
    [28, ipv6.subarray(1)],
  ])("of type %p and with an address of a wrong length counts as failed", (type, data) => {
    expect(addressesIn(type, [dnsRecord(type, data)])).toEqual({ kind: "failed" });
  });

  test("is read up to its 64th record", () => {
    const records = Array.from({ length: 1000 }, (_, i) =>
      dnsRecord(1, Buffer.from([192, 0, i >> 8, i & 255])),
    );
    const answer = addressesIn(1, records);
    expect(answer?.kind === "found" && answer.values.length).toBe(64);
  });
});

describe("an answer", () => {
  test("gives the name as it is spelled, without a trailing dot", () => {
    expect(answerWith("Scan-1_a.Example.COM")).toEqual({ kind: "found", values: ["Scan-1_a.Example.COM"] });
  });

  test("with several names gives those that are usable", () => {
    expect(answerWith("<b>.example", "one.example", "two.example")).toEqual({
      kind: "found",
      values: ["one.example", "two.example"],
    });
  });

  test("may lead through a CNAME", () => {
    const records = [
      dnsRecord(typeCname, dnsName("4.0-25.3.2.1.in-addr.arpa")),
      dnsRecord(recordTypes.ptr, dnsName("host.example")),
    ];
    expect(readAnswer(dnsReply(question, { records }), question)).toEqual({
      kind: "found",
      values: ["host.example"],
    });
  });

  test("may compress the name", () => {
    // "host" and then a pointer to "in-addr.arpa" in the question, after the header and the labels 4, 3, 2, 1.
    const records = [dnsRecord(recordTypes.ptr, Buffer.from("\x04host\xc0\x14", "latin1"))];
    expect(readAnswer(dnsReply(question, { records }), question)).toEqual({
      kind: "found",
      values: ["host.in-addr.arpa"],
    });
  });

  test("without PTR records says that there is no name", () => {
    expect(readAnswer(dnsReply(question, {}), question)).toEqual({ kind: "notFound" });
  });

  test("that is truncated before its first name counts as failed", () => {
    const reply = dnsReply(question, {});
    reply.writeUInt16BE(reply.readUInt16BE(2) | 0x0200, 2);
    expect(readAnswer(reply, question)).toEqual({ kind: "failed" });
  });

  test("that refuses and has only a header counts as failed", () => {
    const bare = dnsReply(question, { rcode: rcodes.refused }).subarray(0, 12);
    bare.writeUInt16BE(0, 4);
    expect(readAnswer(bare, question)).toEqual({ kind: "failed" });
  });

  test.each([
    ["an escape sequence", ["\x1b[31mred", "example"]],
    ["a NUL", ["a\0b", "example"]],
    ["markup", ["<script>", "example"]],
    ["a space", ["a b", "example"]],
    ["a quote", ['a"b', "example"]],
    ["a backslash", ["a\\b", "example"]],
    ["a byte past ASCII", ["caf\xe9", "example"]],
    ["a line feed at its end", ["host\n"]],
    ["a dot inside a label", ["a.b", "example"]],
    ["no label", []],
    ["254 characters", ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62)]],
  ])("whose name has %s counts as failed", (_what, labels) => {
    expect(answerWith(labels)).toEqual({ kind: "failed" });
  });

  test("may have a name of 253 characters", () => {
    const labels = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)];
    expect(answerWith(labels)).toEqual({ kind: "found", values: [labels.join(".")] });
  });

  test.each([
    ["points at itself", Buffer.from([0xc0, question.length + 12])],
    ["points forwards", Buffer.from([0xc1, 0xff])],
    ["has a label of the reserved kind", Buffer.from([0x41, ...Buffer.alloc(0x41, "a"), 0])],
    ["ends in the middle of a label", Buffer.from("\x09host", "latin1")],
    ["ends in the middle of a pointer", Buffer.from([0xc0])],
    ["is empty", Buffer.alloc(0)],
  ])("whose name %s counts as failed", (_what, data) => {
    const reply = dnsReply(question, { records: [dnsRecord(recordTypes.ptr, data)] });
    expect(readAnswer(reply, question)).toEqual({ kind: "failed" });
  });

  test("whose pointers lead in a circle counts as failed", () => {
    const at = question.length + 12;
    const circle = Buffer.from([0xc0, at + 2, 0xc0, at]);
    const records = [dnsRecord(typeTxt, circle), dnsRecord(recordTypes.ptr, Buffer.from([0xc0, at]))];
    expect(readAnswer(dnsReply(question, { records }), question)).toEqual({ kind: "failed" });
  });

  test("that ends early gives no name and does not throw", () => {
    const reply = dnsReply(question, { records: [dnsRecord(recordTypes.ptr, dnsName("host.example"))] });
    for (let length = 0; length < reply.length; length++) {
      expect(readAnswer(reply.subarray(0, length), question)?.kind).not.toBe("found");
    }
  });

  test("may repeat the question in other case", () => {
    const reply = dnsReply(question, { records: [dnsRecord(recordTypes.ptr, dnsName("host.example"))] });
    reply.write(reply.toString("latin1", 12, question.length).toUpperCase(), 12, "latin1");
    expect(readAnswer(reply, question)).toEqual({ kind: "found", values: ["host.example"] });
  });

  test.each([
    ["another id", (reply: Buffer) => reply.writeUInt16BE(0xbeee, 0)],
    ["another question", (reply: Buffer) => reply.write("5", 13)],
    ["the mark of a question", (reply: Buffer) => reply.writeUInt8(0x01, 2)],
    ["no question", (reply: Buffer) => reply.writeUInt16BE(0, 4)],
  ])("with %s is ignored", (_what, forge) => {
    const reply = dnsReply(question, { records: [dnsRecord(recordTypes.ptr, dnsName("evil.example"))] });
    forge(reply);
    expect(readAnswer(reply, question)).toBeUndefined();
  });
});
