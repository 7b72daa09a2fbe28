import { describe, expect, test } from "bun:test";
import { type Credentials, credentialsOf } from "../../server/event/credentials.ts";
import { payloadOf } from "../../server/event/payload.ts";
import { capturedRequests } from "../support/fixtures.ts";
import { createRandom } from "../support/random.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const request = (head: string, body = "") => `${head} HTTP/1.1\r\nHost: a\r\n\r\n${body}`;
const withHeader = (header: string) => `GET / HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`;

function of(payload: string | Uint8Array, document: unknown = {}): Credentials | undefined {
  return credentialsOf(
    document,
    typeof payload === "string" ? Uint8Array.from(Buffer.from(payload)) : payload,
  );
}

/** Where they are, the payload, the user, and the password. */
const found: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
  ["HTTP Basic", withHeader(`authorization: basic ${base64("admin:a:b")}`), "admin", "a:b"],
  ["HTTP Basic without a colon", withHeader(`Authorization: Basic ${base64("admin")}`), "admin", undefined],
  ["HTTP Basic for a proxy, not padded", withHeader("Proxy-Authorization: Basic YTpi"), "a", "b"],
  ["HTTP Basic in UTF-8", withHeader(`Authorization: Basic ${base64("jürgen:ß")}`), "jürgen", "ß"],
  ["HTTP Digest", withHeader('Authorization: Digest realm="x", username="root", uri="/"'), "root", undefined],
  [
    "SIP Digest",
    'REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username="100",realm="a"\r\n\r\n',
    "100",
    undefined,
  ],
  ["a form", request("POST /login", "a=1&username=ad%6Din&Password=x+y%21\r\n"), "admin", "x y!"],
  ["a form of WordPress", request("POST /wp-login.php", "log=wp&pwd=%zz"), "wp", "%zz"],
  [
    "a form with nested names",
    request("POST /", "d[User][name]=x&d[User][username]=u&login.password=p"),
    "u",
    "p",
  ],
  ["a form with a password alone", request("POST /", "password=p"), undefined, "p"],
  ["a query", request("GET /login.cgi?user=u&psd=p#x"), "u", "p"],
  ["a JSON body", request("POST /api", '{"remember":true,"email":"e@x","password":"p"}'), "e@x", "p"],
  ["FTP", "USER anonymous\r\nPASS me@home now\r\n", "anonymous", "me@home now"],
  ["POP3 with a user alone", "USER bob\r\n", "bob", undefined],
  ["IMAP", 'a1 CAPABILITY\r\na2 LOGIN "b b" "p"\r\n', "b b", "p"],
  ["IMAP without quotes", "1 login bob pw\r\n", "bob", "pw"],
  ["SMTP AUTH PLAIN", `EHLO x\r\nAUTH PLAIN ${base64("\0u\0p")}\r\n`, "u", "p"],
  ["SMTP AUTH LOGIN on lines", `EHLO x\r\nAUTH LOGIN\r\n${base64("u")}\r\n${base64("p")}\r\n`, "u", "p"],
  ["SMTP AUTH LOGIN with the user on its line", `AUTH LOGIN ${base64("u")}\r\n${base64("p")}\r\n`, "u", "p"],
  ["Redis", "AUTH secret\r\n", undefined, "secret"],
  ["Redis with a user", "AUTH default secret\r\nINFO\r\n", "default", "secret"],
  ["Redis as an array", "*2\r\n$4\r\nauth\r\n$6\r\nsecret\r\n*1\r\n$4\r\nINFO\r\n", undefined, "secret"],
  ["Redis as an array with a user", "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n", "u", "p"],
  ["telnet", "root\r\nvizxv\r\n", "root", "vizxv"],
  ["telnet with commands after it", "admin\n1234\nenable\nsystem\n", "admin", "1234"],
  ["telnet with NUL", "888888\r\x00888888\r\x00", "888888", "888888"],
  ["telnet with a usual user alone", "Root\r\n", "Root", undefined],
  [
    "Remote Desktop",
    "\x03\0\0/*\xe0\0\0\0\0\0Cookie: mstshash=Admin istr\r\n\x01\0\x08\0",
    "Admin istr",
    undefined,
  ],
  ["Postgres", "\0\0\0\x29\0\x03\0\0database\0user\0user\0postgres\0\0", "postgres", undefined],
];

describe("credentials are found in", () => {
  for (const [where, payload, user, password] of found)
    test(where, () => expect(of(payload)).toEqual({ user, password }));

  test("telnet after the negotiation of options", () => {
    const options = [0xff, 0xfb, 31, 0xff, 0xfa, 24, 0, 0x41, 0xff, 0xf0, 0xff, 0xfd, 3];
    expect(of(Uint8Array.from([...options, ...Buffer.from("root\r\nroot\r\n")]))).toEqual({
      user: "root",
      password: "root",
    });
  });

  test("an event without a payload: its header, its body, its user", () => {
    const http = (inner: unknown) =>
      credentialsOf({ http: { request: inner }, user: { name: "ssh-user" } }, undefined);
    expect(http({ headers: { authorization: `Basic ${base64("a:b c")}` } })).toEqual({
      user: "a",
      password: "b c",
    });
    expect(http({ body: { content: "user=u&pass=p" } })).toEqual({ user: "u", password: "p" });
    expect(http({ headers: { authorization: 7 }, body: "x" })).toEqual({
      user: "ssh-user",
      password: undefined,
    });
  });
});

/** What looks like credentials, and the payload. */
const notFound: readonly (readonly [string, string])[] = [
  ["two commands of a shell", "enable\r\nsystem\r\n"],
  ["two lines and more text", "root\r\nvizxv\r\nhello\r\n"],
  ["an unusual word", "hello\r\n"],
  ["a line that is not ended", "root\r\nvizxv"],
  ["a registration at IRC", "NICK a\r\nUSER a 0 * :b\r\n"],
  ["a request for TLS by FTP", "AUTH TLS\r\n"],
  ["a user name in a form without a password", request("POST /", "user=x&search=y")],
  ["a token", withHeader("Authorization: Bearer YTpi")],
  ["a header within a line", withHeader("X: Authorization: Basic YTpi")],
  ["text that is not base64", withHeader("Authorization: Basic !!!")],
  ["a body of GET", request("GET /", "user=x&password=y")],
  ["a form outside a request", "user=x&password=y"],
  ["JSON that is cut off", request("POST /", '{"password":"p"')],
  ["a value of JSON that is not text", request("POST /", '{"password":7}')],
  ["a very long name", request("POST /", `${"x".repeat(60)}[password]=y`)],
  ["a packet of SSH", "SSH-2.0-Go\r\n"],
  ["Postgres without a user", "\0\0\0\x29\0\x03\0\0database\0user\0\0"],
  ["no bytes", ""],
];

describe("credentials are not found in", () => {
  for (const [what, payload] of notFound) test(what, () => expect(of(payload)).toBeUndefined());
});

test("of the captured events, one has a form and one the cookie of Remote Desktop", () => {
  const events = capturedRequests.flatMap(({ body }): unknown[] => JSON.parse(body));
  expect(
    events.map((event) => credentialsOf(event, payloadOf(event))).filter((one) => one !== undefined),
  ).toEqual([
    { user: "admin", password: "admin" },
    { user: "Administr", password: undefined },
  ]);
});

test("values are truncated after 128 characters, and have no control characters", () => {
  const long = of(`USER ${"u".repeat(200)}\r\nPASS a\x1b[31m\x00b\x7f\u0085c\r\n`);
  expect(long).toEqual({ user: "u".repeat(128), password: "a[31mbc" });
  expect(of(withHeader(`Authorization: Basic ${base64("\x01:\x02")}`))).toBeUndefined();
});

test("values are well-formed text, whatever the bytes are", () => {
  const random = createRandom(3);
  for (let round = 0; round < 2_000; round++) {
    const [, payload] = random.pick(found);
    const bytes = Uint8Array.from(Buffer.from(payload));
    for (let change = 0; change < 3; change++) bytes[random.below(bytes.length)] = random.below(256);
    const { user = "", password = "" } = of(bytes) ?? {};
    for (const text of [user, password]) {
      expect(text.isWellFormed() && text.length <= 128).toBe(true);
      expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    }
  }
});
