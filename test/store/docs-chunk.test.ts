import { describe, expect, test } from "bun:test";
import { Chunk, chunkRowOf, encodeChunk, type StoreRow } from "../../server/store/docs-chunk.ts";

function row(document: string, receivedAt = 1_764_000_000_000, sensorId = "s1"): StoreRow {
  return { receivedAt, sensorId, document: Buffer.from(document) };
}

function hexEvent(hex: string): string {
  return `{"event":{"original_payload_hex":"${hex}","summary":"x"},"n":1.0}`;
}

describe("a chunk returns its rows", () => {
  const documents = [
    "{}",
    hexEvent("68656c6c6f0d0a"),
    hexEvent(""),
    hexEvent("6"),
    hexEvent("6A"),
    hexEvent("zz"),
    '{"a":"\\"original_payload_hex\\":\\"00\\""}',
    '{"original_payload_hex":"00ff","event":{"original_payload_hex":"0102"}}',
    '{"original_payload_hex":00,"x":"é\\u00e9"}',
    '{"original_payload_hex" : "00"}',
    `{"event":{"original_payload_hex":"${"00ff".repeat(20_000)}"}}`,
  ];

  test("byte for byte, with time and sensor", () => {
    const rows = documents.map((document, i) =>
      row(document, 1_764_000_000_000 - i * 1e9, `sensor-${i % 3}`),
    );
    const chunk = new Chunk(encodeChunk(rows.map(chunkRowOf)));
    expect(chunk.rowCount).toBe(rows.length);
    for (const [i, { receivedAt, sensorId, document }] of rows.entries()) {
      expect(chunk.document(i).toString()).toBe(document.toString());
      expect(chunk.receivedAt(i)).toBe(receivedAt);
      expect(chunk.sensorId(i)).toBe(sensorId);
    }
  });

  test("and knows the row of each position of its body", () => {
    const chunk = new Chunk(encodeChunk(documents.map((document) => row(document)).map(chunkRowOf)));
    for (let position = 0, at = 0; position < chunk.body.length; position += 7) {
      while (position >= chunk.endOf(at)) at++;
      expect(chunk.rowAt(position)).toBe(at);
    }
  });
});

test("the payload is found as bytes in the body", () => {
  const chunk = new Chunk(
    encodeChunk([row("{}"), row(hexEvent(Buffer.from("wget http://x").toString("hex")))].map(chunkRowOf)),
  );
  expect(chunk.rowAt(chunk.body.indexOf("wget http://x"))).toBe(1);
});

describe("a row needs parsing", () => {
  test.each([
    ['{"a":"\\u0061"}', true],
    ['{"a":"\\/"}', true],
    ['{"a":"\u212a"}', true],
    ['{"a":"\\u212A"}', true],
    ['{"a":"\\u0130\\u0041"}', true],
    ['{"a":"\\u003c\\u007E"}', true],
    ['{"a":"\\u007f\\u001f\\u0131\\u"}', false],
    [hexEvent(Buffer.from("\\u0061 \\/").toString("hex")), false],
    ['{"a":"\u0130"}', true],
    [hexEvent(Buffer.from("\u212a").toString("hex")), true],
    [hexEvent("6A"), true],
    ['{"event":{"original_payload_hex" : "6162"}}', true],
    ['{"a":{"original_payload_hex":"6162"}}', true],
    ['{"original_payload_hex":"6162"}', true],
    ['{"event":{"a":{"original_payload_hex":"6162"}}}', true],
    ['{"event":[{"original_payload_hex":"6162"}]}', true],
    ['{"event":{"original_payload_hex":"6162","original_payload_hex":"6163"}}', true],
    ['{"a":"{\\"","event":{"b":[{}],"original_payload_hex":"6162"}}', false],
    ['{"a":"abc é \\u00e9"}', false],
    ['{"a":"\\u003c\\u003e\\u0026\\u0022\\u005c\\u0027\\u000a\\n\\\\\\""}', false],
  ])("%s: %p", (document, isNeeded) => {
    expect(new Chunk(encodeChunk([row(document)].map(chunkRowOf))).needsParsing(0)).toBe(isNeeded);
  });
});

describe("a damaged chunk is refused", () => {
  const blob = encodeChunk(
    Array.from({ length: 40 }, (_, i) => chunkRowOf(row(hexEvent(`${i}`.padStart(8, "0"))))),
  );

  test("for each byte that is changed", () => {
    for (let at = 0; at < blob.length; at++) {
      const damaged = Buffer.from(blob);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(() => new Chunk(damaged)).toThrow();
    }
  });

  test("for each length that it is cut to", () => {
    for (let length = 0; length < blob.length; length++)
      expect(() => new Chunk(blob.subarray(0, length))).toThrow();
  });
});
