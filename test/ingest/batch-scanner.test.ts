import { describe, expect, test } from "bun:test";
import {
  type ScanLimits,
  type ScanRefusal,
  scanBatch,
  scanLines,
} from "../../server/ingest/batch-scanner.ts";
import { maxNesting } from "../../server/json-bytes.ts";
import type { ScannedEvent } from "../../server/pipeline.ts";

const limits = { maxEventsPerBatch: 500, maxEventSizeBytes: 131_072 };

/** The events of a batch, or the code of its refusal. */
function scan(text: string | Buffer, bounds: Partial<ScanLimits> = {}): ScannedEvent[] | ScanRefusal {
  const result = scanBatch(Buffer.from(text), { ...limits, ...bounds });
  return result.kind === "accepted" ? result.value : result.refusal;
}

function events(text: string): ScannedEvent[] {
  const result = scan(text);
  if (typeof result === "string") throw new Error(`refused: ${result}`);
  return result;
}

function only(text: string): { event: ScannedEvent; ip: string | undefined; source: string | undefined } {
  const [event] = events(text);
  if (!event) throw new Error("no event");
  const bytes = Buffer.from(text);
  return {
    event,
    ip: event.ipStart < 0 ? undefined : bytes.toString("utf8", event.ipStart, event.ipEnd),
    source:
      event.sourceStart < 0 ? undefined : bytes.toString("utf8", event.sourceStart, event.sourceEnd + 1),
  };
}

function nested(levels: number): string {
  return `[{"a":${"[".repeat(levels - 2)}${"]".repeat(levels - 2)}}]`;
}

describe("the grammar of a batch", () => {
  const accepted = [
    "[]",
    " \t\r\n[ \t\r\n] \t\r\n",
    "[{}]",
    "[{},{}]",
    '[{"a":null,"b":true,"c":false,"d":0,"e":-0,"f":1.5,"g":1E+5,"h":1e-5,"i":-12.25e3}]',
    '[{"n":18446744073709551615,"m":1e400,"o":0.1000}]',
    '[{"a":[],"b":{},"c":[1,"2",[3,{}]]}]',
    '[{"esc":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\uDD1E"}]',
    '[{"lone surrogates are grammatical":"\\ud800"}]',
    '[{"utf8":"é ☃ 𝄞","\u007f":"\u0080"}]',
    '[{"":""}]',
    '[{"a":1,"a":2}]',
    '[{"__proto__":{"x":1},"constructor":null}]',
    '[{"source":{}},{"source":{ }}]',
    '[{"source":{"a":1 , "b":2 }}]',
  ];
  for (const text of accepted)
    test(`accepted: ${JSON.stringify(text).slice(0, 60)}`, () => {
      expect(scan(text)).toHaveLength((JSON.parse(text) as unknown[]).length);
    });

  const refused = [
    "",
    " ",
    "{} {}",
    "{}\n{}",
    "{},{}",
    "{}]",
    "{",
    "null",
    '"[]"',
    "[",
    "]",
    "[]]",
    "[] []",
    "[],",
    "[1]",
    "[null]",
    '["x"]',
    "[[]]",
    "[{}",
    "[{},]",
    "[,{}]",
    "[{} {}]",
    "[{}]x",
    '[{"a"}]',
    '[{"a":}]',
    '[{"a":1,}]',
    '[{,"a":1}]',
    '[{"a" 1}]',
    '[{"a":1 "b":2}]',
    '[{"source":{"a":1 "b":2}}]',
    '[{"source":{"a":1,}}]',
    '[{"source":{,"a":1}}]',
    '[{"source":{"a"}}]',
    '[{"source":{"a":}}]',
    '[{"source":{a:1}}]',
    '[{"source":{"a":1]}]',
    '[{"source":{"a":1',
    '[{"source"}]',
    '[{"source":}]',
    "[{a:1}]",
    "[{'a':1}]",
    '[{"a":01}]',
    '[{"a":1.}]',
    '[{"a":.5}]',
    '[{"a":+1}]',
    '[{"a":-}]',
    '[{"a":1e}]',
    '[{"a":1e+}]',
    '[{"a":0x1}]',
    '[{"a":NaN}]',
    '[{"a":Infinity}]',
    '[{"a":tru}]',
    '[{"a":nul}]',
    '[{"a":falsey}]',
    '[{"a":"\\x"}]',
    '[{"a":"\\u12"}]',
    '[{"a":"\\u12g4"}]',
    '[{"a":"',
    '[{"a":"\\',
    '[{"a":"\\u',
    '[{"a":"\\"}]',
    '[{"a":"tab\there"}]',
    '[{"a":"line\nbreak"}]',
    '[{"a":"nul\u0000"}]',
    '[{"a":[1,]}]',
    '[{"a":[}]}]',
    '[{"a":1}/*c*/]',
    "\u00a0[]",
    "[\u000b]",
    "\ufeff[]",
  ];
  for (const text of refused)
    test(`refused: ${JSON.stringify(text).slice(0, 60)}`, () => {
      expect(scan(text)).toBe("invalid_request");
    });

  for (const [name, bytes] of [
    ["a lone continuation byte", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate in UTF-8", [0xed, 0xa0, 0x80]],
    ["past U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["a sequence cut off", [0xe2, 0x98]],
    ["0xff", [0xff]],
  ] as const)
    test(`invalid UTF-8 is refused: ${name}`, () => {
      const text = Buffer.concat([Buffer.from('[{"a":"'), Buffer.from(bytes), Buffer.from('"}]')]);
      expect(scan(text)).toBe("invalid_request");
    });
});

describe("bounds", () => {
  test(`${maxNesting} levels of nesting are accepted and one more is refused`, () => {
    expect(scan(nested(maxNesting))).toHaveLength(1);
    expect(scan(nested(maxNesting + 1))).toBe("invalid_request");
  });

  test("nesting inside source is counted from the batch on", () => {
    const inSource = (levels: number) =>
      `[{"source":{"a":${"[".repeat(levels - 3)}${"]".repeat(levels - 3)}}}]`;
    expect(scan(inSource(maxNesting))).toHaveLength(1);
    expect(scan(inSource(maxNesting + 1))).toBe("invalid_request");
  });

  test("two megabytes of opening brackets are refused", () => {
    expect(scan(`[{"a":${"[".repeat(2_000_000)}`)).toBe("invalid_request");
  });

  test("the largest number of events is accepted and one more is refused", () => {
    const batch = (count: number) => Buffer.from(`[${Array(count).fill("{}").join(",")}]`);
    expect(scan(batch(3), { maxEventsPerBatch: 3 })).toHaveLength(3);
    expect(scan(batch(4), { maxEventsPerBatch: 3 })).toBe("batch_too_large");
  });

  test("an event of the largest size is accepted and one byte more is refused", () => {
    const event = Buffer.from('[{"a":"12345"}]');
    expect(scan(event, { maxEventSizeBytes: 13 })).toHaveLength(1);
    expect(scan(event, { maxEventSizeBytes: 12 })).toBe("event_too_large");
  });
});

describe("one object instead of an array", () => {
  for (const text of ["{}", '{"a":[1,{"b":2}]}', ' \r\n{"source":{"ip":"::1"}}\t\n'])
    test(`${JSON.stringify(text)} is one event`, () => {
      expect(events(text).map(({ start, end }) => text.slice(start, end))).toEqual([text.trim()]);
    });

  test("has the limit of an event, and the limit of a batch", () => {
    expect(scan('{"a":"12345"}', { maxEventSizeBytes: 13 })).toHaveLength(1);
    expect(scan('{"a":"12345"}', { maxEventSizeBytes: 12 })).toBe("event_too_large");
    expect(scan("{}", { maxEventsPerBatch: 0 })).toBe("batch_too_large");
  });
});

describe("newline-delimited JSON", () => {
  function linesOf(text: string, bounds: Partial<ScanLimits> = {}): string[] | ScanRefusal {
    const bytes = Buffer.from(text, "latin1");
    const result = scanLines(bytes, { ...limits, ...bounds });
    if (result.kind === "refused") return result.refusal;
    return result.value.map(({ start, end }) => bytes.toString("latin1", start, end));
  }

  for (const [text, wanted] of [
    ["", []],
    [" \t\r\n\n", []],
    ["{}", ["{}"]],
    ["{}\n", ["{}"]],
    ['{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
    ['\n\n {"a":1} \n\n\t{"b":2}\n\n', ['{"a":1}', '{"b":2}']],
    ['{\n "a": 1\n}\n{"b":2}', ['{\n "a": 1\n}', '{"b":2}']],
  ] as const)
    test(`${JSON.stringify(text)} has ${wanted.length} events`, () => {
      expect(linesOf(text)).toEqual([...wanted]);
    });

  for (const text of [
    "{}{}",
    "{} {}",
    "{}\r{}",
    "{},\n{}",
    "[]",
    "[{}]",
    "{}\n[{}]",
    "1",
    "null",
    "{}\nnull",
    "{}\n}",
    '{"a":1\n{"b":2}',
    '{"a":"\n"}',
    "{}\n{",
    "\xef\xbb\xbf{}",
    '{"a":"\xff"}',
    "{}\n\0",
    "\x1e{}\n",
  ])
    test(`${JSON.stringify(text)} is refused`, () => {
      expect(linesOf(text)).toBe("invalid_request");
    });

  test("has the limits of a batch and of its events", () => {
    expect(linesOf("{}\n{}\n{}", { maxEventsPerBatch: 3 })).toHaveLength(3);
    expect(linesOf("{}\n{}\n{}\n{}", { maxEventsPerBatch: 3 })).toBe("batch_too_large");
    expect(linesOf('{}\n{"a":"12345"}', { maxEventSizeBytes: 13 })).toHaveLength(2);
    expect(linesOf('{}\n{"a":"12345"}', { maxEventSizeBytes: 12 })).toBe("event_too_large");
  });
});

describe("positions", () => {
  test("events are found between the white space", () => {
    const text = ' [ {"a":1} ,\n{"b":[{}]}\t] ';
    expect(events(text).map(({ start, end }) => text.slice(start, end))).toEqual(['{"a":1}', '{"b":[{}]}']);
  });

  test("source.ip and source are found", () => {
    const { ip, source, event } = only(
      '[{"x":{"ip":"9.9.9.9"},"source":{"port":1,"ip":"81.2.69.142"},"ip":"8.8.8.8"}]',
    );
    expect(ip).toBe("81.2.69.142");
    expect(source).toBe('{"port":1,"ip":"81.2.69.142"}');
    expect(event.isSourceEnriched).toBe(false);
  });

  test("keys spelled with escapes are the same keys", () => {
    const text = String.raw`[{"\u0073ource":{"i\u0070":"81.2.69.142","\u0061s":{}}}]`;
    expect(only(text).ip).toBe("81.2.69.142");
    expect(only(text).event.isSourceEnriched).toBe(true);
  });

  test("keys spelled only with escapes are the same keys", () => {
    const escaped = (key: string) => key.replace(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
    const text = `[{"${escaped("source")}":{"${escaped("ip")}":"81.2.69.142","${escaped("geo")}":{}}}]`;
    expect(only(text).ip).toBe("81.2.69.142");
    expect(only(text).event.isSourceEnriched).toBe(true);
  });

  test("keys that only begin with the same letters are different keys", () => {
    const { ip, source } = only(
      '[{"source ":{"ip":"1.1.1.1"},"sourc":{"ip":"1.1.1.1"},"sourcE":{"ip":"1.1.1.1"}}]',
    );
    expect(ip).toBeUndefined();
    expect(source).toBeUndefined();
  });

  test("of two sources the last one counts", () => {
    expect(only('[{"source":{"ip":"1.1.1.1","as":{}},"source":{"ip":"2.2.2.2"}}]')).toMatchObject({
      ip: "2.2.2.2",
      event: { isSourceEnriched: false },
    });
    expect(only('[{"source":{"ip":"1.1.1.1"},"source":null}]').ip).toBeUndefined();
  });

  test("of two ips in source the last one counts", () => {
    expect(only('[{"source":{"ip":"1.1.1.1","ip":"2.2.2.2"}}]').ip).toBe("2.2.2.2");
    expect(only('[{"source":{"ip":"1.1.1.1","ip":7}}]').ip).toBeUndefined();
  });

  for (const value of ["7", "null", "[]", '{"ip":"1.1.1.1"}', "true"])
    test(`an ip that is ${value} is not an ip`, () => {
      expect(only(`[{"source":{"ip":${value}}}]`).ip).toBeUndefined();
    });

  for (const value of ["7", "null", '"x"', '[{"ip":"1.1.1.1"}]'])
    test(`a source that is ${value} is not a source`, () => {
      expect(only(`[{"source":${value}}]`)).toMatchObject({ ip: undefined, source: undefined });
    });

  for (const key of ["as", "geo", "domain"])
    test(`a source that has ${key} is marked`, () => {
      expect(only(`[{"source":{"ip":"1.1.1.1","${key}":{}}}]`).event.isSourceEnriched).toBe(true);
    });
});
