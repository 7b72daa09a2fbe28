import { expect, test } from "bun:test";
import { SessionCookies } from "../../../server/management/sign-in/session-cookies.ts";

function request(headers: Record<string, string> = {}): Request {
  return new Request("http://loom.example:9080/", { headers });
}

test("the name of the cookie has the port of the Host header, or the scheme's port", () => {
  const cookies = new SessionCookies({ isTls: false });
  const nameFor = (headers: Record<string, string>) =>
    cookies.header(request(headers), "v", 60).split("=")[0];
  expect(nameFor({ host: "loom.example:19080" })).toBe("loom-19080");
  expect(nameFor({ host: "loom.example" })).toBe("loom-80");
  expect(nameFor({ host: "loom.example", "x-forwarded-proto": "https" })).toBe("__Host-loom-443");
});

test("all cookies with the name are read, and no others", () => {
  const cookies = new SessionCookies({ isTls: false });
  const cookie = "loom-9080=a; loom-9081=b;loom-9080=c; x-loom-9080=d";
  expect(cookies.valuesOf(request({ cookie, host: "loom.example:9080" }))).toEqual(["a", "c"]);
  expect(cookies.valuesOf(request())).toEqual([]);
});

test("an age of 0 removes the cookie", () => {
  const cookies = new SessionCookies({ isTls: false });
  expect(cookies.header(request({ host: "loom.example:9080" }), "", 0)).toStartWith(
    "loom-9080=; Path=/; Max-Age=0;",
  );
});
