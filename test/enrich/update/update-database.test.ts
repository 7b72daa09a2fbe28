import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { UpdateSource } from "../../../server/config/update-source.ts";
import { type UpdateOptions, updateDatabase } from "../../../server/enrich/update/update-database.ts";
import { UpdateError } from "../../../server/enrich/update/update-error.ts";
import { asnRecord, sampleBuildEpoch, sampleCityDatabase, sampleDatabase } from "../../mmdb/samples.ts";
import { canMountSmallDisks, fillDisk, mountSmallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/until.ts";
import { type Answer, type DownloadServer, sha256, startDownloadServer } from "./download-server.ts";
import { maxmindArchive, tarOf } from "./tar.ts";

const licenseKey = "hunter2_mmk";
const lastModified = "Tue, 06 Jan 2026 15:00:00 GMT";
const now = Date.UTC(2026, 7, 3);
const [maxmindPath, checksumPath] = ["", ".sha256"].map(
  (suffix) => `/geoip/databases/GeoLite2-City/download?suffix=tar.gz${suffix}`,
) as [string, string];
const fresh = sampleCityDatabase("New");
const maxmind: UpdateSource = { kind: "maxmind", edition: "GeoLite2-City" };
const cityLite: UpdateSource = { kind: "dbip", edition: "city-lite" };

let folder: string;
let path: string;
let server: DownloadServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "loom-update-"));
  path = join(folder, "city.mmdb");
  server = await startDownloadServer();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function update(source: UpdateSource, options: Partial<UpdateOptions> = {}) {
  return updateDatabase({
    update: { role: "geoip", path, source },
    servers: {
      maxmindUrl: server.url,
      dbipUrl: server.url,
      maxmindAccount: { accountId: "123456", licenseKey },
    },
    signal: new AbortController().signal,
    now: () => now,
    ...options,
  });
}

/** A file that the server has at /db. */
function offer(body: Uint8Array | string, answer: Answer = {}): UpdateSource {
  server.answers.set("/db", { body, ...answer });
  return { kind: "url", url: `${server.url}/db` };
}

function offerMaxmind(archive: Buffer = maxmindArchive(fresh), sum = sha256(archive)): void {
  server.answers.set(maxmindPath, ({ headers }) =>
    headers["if-modified-since"] === lastModified
      ? { status: 304 }
      : { body: archive, headers: { "last-modified": lastModified } },
  );
  server.answers.set(checksumPath, { body: `${sum}  GeoLite2-City_20260101.tar.gz\n` });
}

/** The reason why an update failed. The present database has to stay, and nothing else. */
async function reasonOf(updating: Promise<unknown>): Promise<string> {
  const error = await updating.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof UpdateError)) throw new Error("it is not an UpdateError", { cause: error });
  expect(readdirSync(folder).filter((name) => name !== "city.mmdb")).toEqual([]);
  return error.message;
}

describe("a database that is missing", () => {
  test.each([
    ["as it is", fresh],
    ["gz", gzipSync(fresh)],
    ["tar.gz", maxmindArchive(fresh)],
  ])("is downloaded %s", async (_, body) => {
    expect(await update(offer(body))).toEqual({
      kind: "updated",
      type: "GeoLite2-City",
      builtAt: sampleBuildEpoch * 1000,
    });
    expect(readFileSync(path).equals(fresh)).toBe(true);
  });

  test("leaves no temporary file behind", async () => {
    await update(offer(fresh));
    expect(readdirSync(folder).sort()).toEqual(["city.mmdb", "city.mmdb.origin.json"]);
  });

  test("is readable for other users", async () => {
    await update(offer(fresh));
    expect((statSync(path).mode & 0o444).toString(8)).toBe("444");
  });

  test.each([
    ["absolute", () => path],
    ["relative", () => "city.mmdb"],
  ])("is stored where a symbolic link leads, and the link stays: %s", async (_, target) => {
    const link = join(folder, "link.mmdb");
    symlinkSync(target(), link);
    const source = offer(fresh);
    await update(source, { update: { role: "geoip", path: link, source } });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["city.mmdb", "city.mmdb.origin.json", "link.mmdb"]);
  });

  test("does not keep the update busy forever if links lead to each other", async () => {
    symlinkSync("city.mmdb", path);
    await update(offer(fresh));
    expect(readFileSync(path).equals(fresh)).toBe(true);
  });

  test("in a directory that does not exist is an error", async () => {
    const missing = { role: "geoip", path: join(folder, "no/city.mmdb"), source: offer(fresh) } as const;
    expect(await reasonOf(update(missing.source, { update: missing }))).toBe(
      `cannot write ${missing.path}: no such directory`,
    );
  });
});

describe("a database that is present", () => {
  beforeEach(() => writeFileSync(path, sampleCityDatabase("Old")));

  test("is replaced, and keeps its permissions", async () => {
    chmodSync(path, 0o640);
    await update(offer(fresh));
    expect(readFileSync(path).equals(fresh)).toBe(true);
    expect((statSync(path).mode & 0o777).toString(8)).toBe("640");
  });

  test("is replaced in the place that a symbolic link leads to", async () => {
    const link = join(folder, "link.mmdb");
    symlinkSync(path, link);
    const source = offer(fresh);
    await update(source, { update: { role: "geoip", path: link, source } });
    expect(readFileSync(path).equals(fresh)).toBe(true);
    expect(readdirSync(folder)).toContain("city.mmdb.origin.json");
  });

  test("stays if the server has an older one of the same type", async () => {
    const older = sampleDatabase({
      type: "GeoLite2-City",
      buildEpoch: sampleBuildEpoch - 1,
      networks: [["81.2.69.0/24", { country: { iso_code: "GB" } }]],
    });
    expect(await update(offer(older))).toEqual({
      kind: "older",
      type: "GeoLite2-City",
      builtAt: sampleBuildEpoch * 1000,
    });
    expect(readFileSync(path).equals(sampleCityDatabase("Old"))).toBe(true);
  });

  test("is replaced by an older one of another type, because the source was changed", async () => {
    const other = sampleDatabase({
      type: "DBIP-City-Lite",
      buildEpoch: sampleBuildEpoch - 1,
      networks: [["81.2.69.0/24", { country: { iso_code: "GB" } }]],
    });
    expect((await update(offer(other))).kind).toBe("updated");
  });

  test("is replaced if it is damaged", async () => {
    writeFileSync(path, "damaged");
    expect((await update(offer(fresh))).kind).toBe("updated");
  });

  test("is not downloaded again if the server says that it is unchanged", async () => {
    const source = offer("");
    server.answers.set("/db", ({ headers }) =>
      headers["if-none-match"] === '"1"' ? { status: 304 } : { body: fresh, headers: { etag: '"1"' } },
    );
    await update(source);
    expect((await update(source)).kind).toBe("current");
    expect(server.requests).toHaveLength(2);
  });

  test("is downloaded again after somebody else replaced it", async () => {
    const source = offer(fresh, { headers: { etag: '"1"' } });
    await update(source);
    writeFileSync(path, sampleCityDatabase("By hand"));
    await update(source);
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
    expect(readFileSync(path).equals(fresh)).toBe(true);
  });

  test("is downloaded again after the source was changed", async () => {
    await update(offer(fresh, { headers: { etag: '"1"' } }));
    server.answers.set("/other", { body: fresh });
    await update({ kind: "url", url: `${server.url}/other` });
    expect(server.requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
  });

  test("is downloaded again if the stored origin is damaged", async () => {
    const source = offer(fresh, { headers: { etag: '"1"' } });
    await update(source);
    for (const damaged of ["", "{", "null", '{"urlHash":1}']) {
      writeFileSync(`${path}.origin.json`, damaged);
      expect((await update(source)).kind).toBe("current");
      expect(server.requests.at(-1)?.headers["if-none-match"]).toBeUndefined();
    }
  });
});

describe("from MaxMind", () => {
  test("the archive is downloaded with the account, and compared with its SHA-256 sum", async () => {
    offerMaxmind();
    expect((await update(maxmind)).kind).toBe("updated");
    const authorization = `Basic ${Buffer.from(`123456:${licenseKey}`).toString("base64")}`;
    expect(server.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      [maxmindPath, authorization],
      [checksumPath, authorization],
    ]);
  });

  test("the next check asks with If-Modified-Since", async () => {
    offerMaxmind();
    await update(maxmind);
    expect((await update(maxmind)).kind).toBe("current");
    expect(server.requests).toHaveLength(3);
  });

  test.each([
    ["is another one", "0".repeat(64), /^its SHA-256 sum is [0-9a-f]{64}, and should be 0{64}$/],
    ["is not one", "<html>", /^the server sent something else for the SHA-256 sum$/],
    ["is very long", "x".repeat(1_000_000), /^the server sent something else for the SHA-256 sum$/],
  ])("an archive whose SHA-256 sum %s is refused", async (_, sum, reason) => {
    offerMaxmind(maxmindArchive(fresh), sum);
    expect(await reasonOf(update(maxmind))).toMatch(reason);
  });

  test("an archive without a SHA-256 sum is refused", async () => {
    offerMaxmind();
    server.answers.delete(checksumPath);
    expect(await reasonOf(update(maxmind))).toBe("the server answered 404 for the SHA-256 sum");
  });

  test("a SHA-256 sum that is cut off is refused", async () => {
    offerMaxmind();
    server.answers.set(checksumPath, { body: "0123", end: "cut" });
    expect(await reasonOf(update(maxmind))).toBe("the SHA-256 sum was cut off");
  });

  test("a redirect to another host is followed without the license key", async () => {
    await using storage = await startDownloadServer();
    const archive = maxmindArchive(fresh);
    storage.answers.set("/city?signature=abc", { body: archive, headers: { "last-modified": lastModified } });
    offerMaxmind(archive);
    server.answers.set(maxmindPath, {
      status: 302,
      headers: { location: `${storage.url}/city?signature=abc` },
    });
    expect((await update(maxmind)).kind).toBe("updated");
    await update(maxmind);
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(storage.requests.map(({ headers }) => headers["if-modified-since"])).toEqual([
      undefined,
      lastModified,
    ]);
  });

  test("a host that was redirected to cannot get the license key by redirecting back", async () => {
    await using storage = await startDownloadServer();
    storage.answers.set("/", { status: 302, headers: { location: `${server.url}/back` } });
    server.answers.set(maxmindPath, { status: 302, headers: { location: `${storage.url}/` } });
    await reasonOf(update(maxmind));
    expect(server.requests.map(({ path, headers }) => [path, headers.authorization !== undefined])).toEqual([
      [maxmindPath, true],
      ["/back", false],
    ]);
  });

  test.each([
    [401, "the server answered 401: LOOM_MAXMIND_ACCOUNT_ID or LOOM_MAXMIND_LICENSE_KEY is wrong"],
    [403, "the server answered 403: the account may not download this edition"],
    [404, "the server answered 404: there is no edition GeoLite2-City"],
    [429, "the server answered 429: too many downloads"],
    [503, "the server answered 503"],
  ])("the answer %d is an error that does not quote it", async (status, reason) => {
    server.answers.set(maxmindPath, { status, body: `you sent ${licenseKey}` });
    expect(await reasonOf(update(maxmind))).toBe(reason);
  });

  test("Retry-After is passed on", async () => {
    server.answers.set(maxmindPath, { status: 429, headers: { "retry-after": "3600" } });
    await expect(update(maxmind)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  });
});

describe("from DB-IP", () => {
  const [august, july] = ["2026-08", "2026-07"].map((month) => `/dbip-city-lite-${month}.mmdb.gz`) as [
    string,
    string,
  ];

  test("the file of this month is downloaded", async () => {
    server.answers.set(august, { body: gzipSync(fresh) });
    expect((await update(cityLite)).kind).toBe("updated");
    expect(server.requests.map(({ path }) => path)).toEqual([august]);
  });

  test("the file of the previous month is downloaded if this month has none yet", async () => {
    server.answers.set(july, { body: gzipSync(fresh) });
    expect((await update(cityLite)).kind).toBe("updated");
    expect((await update(cityLite)).kind).toBe("current");
    expect(server.requests.map(({ path }) => path)).toEqual([august, july, august]);
  });

  test("the month before January is December", async () => {
    await reasonOf(update(cityLite, { now: () => Date.UTC(2026, 0, 1) }));
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/dbip-city-lite-2026-01.mmdb.gz",
      "/dbip-city-lite-2025-12.mmdb.gz",
    ]);
  });

  test("a file that is in place is not asked for again in its month", async () => {
    server.answers.set(august, { body: gzipSync(fresh) });
    await update(cityLite);
    expect((await update(cityLite)).kind).toBe("current");
    expect(server.requests).toHaveLength(1);
  });

  test("an error of the server is not taken for a missing file", async () => {
    server.answers.set(august, { status: 500 });
    expect(await reasonOf(update(cityLite))).toBe("the server answered 500");
    expect(server.requests).toHaveLength(1);
  });
});

describe("an answer is refused, and the present database stays,", () => {
  beforeEach(() => writeFileSync(path, sampleCityDatabase("Old")));
  afterEach(() => expect(readFileSync(path).equals(sampleCityDatabase("Old"))).toBe(true));

  const asn = sampleDatabase({ type: "GeoLite2-ASN", networks: [["81.2.0.0/16", asnRecord(1, "x")]] });
  test.each([
    [
      "if it is a page",
      "<html>",
      "it is not a MaxMind DB file, or is cut off (its Content-Type is text/html)",
    ],
    ["if it is empty", "", "it is not a MaxMind DB file, or is cut off (its Content-Type is text/html)"],
    [
      "if it is a database without places",
      asn,
      'it is a "GeoLite2-ASN" database and has no places; a City, Country or Enterprise database has (its Content-Type is text/html)',
    ],
    [
      "if its database is cut off",
      gzipSync(fresh.subarray(0, 300)),
      "it is not a MaxMind DB file, or is cut off (its Content-Type is text/html)",
    ],
  ])("%s", async (_, body, reason) => {
    const source = offer(body, { headers: { "content-type": "text/html" } });
    expect(await reasonOf(update(source))).toBe(`the downloaded file cannot be used: ${reason}`);
  });

  test("if its Content-Type contains escape sequences, which are not printed", async () => {
    const source = offer("x", { headers: { "content-type": "a\u009b2Jb" } });
    expect(await reasonOf(update(source))).not.toContain("\u009b");
  });

  test("if its archive has no database", async () => {
    expect(await reasonOf(update(offer(tarOf([{ name: "a" }]))))).toBe("the archive has no mmdb file");
  });

  test("if the connection is closed before the end", async () => {
    const source = offer(fresh.subarray(0, 100), { end: "cut" });
    expect(await reasonOf(update(source))).toStartWith("the download was cut off after ");
  });

  test("if the server stalls in the middle", async () => {
    const source = offer(fresh.subarray(0, 100), { end: "stall" });
    expect(await reasonOf(update(source, { maxStallMs: 100 }))).toBe(
      "the server sent less than 64 KiB within 0.1 s",
    );
  });

  test("if it is larger than the limit", async () => {
    const source = offer(Buffer.alloc(2000));
    expect(await reasonOf(update(source, { maxBytes: 1000 }))).toBe("it has more than 1000 bytes");
  });

  test("if it decompresses to more than the limit", async () => {
    const source = offer(gzipSync(Buffer.alloc(100_000)));
    expect(await reasonOf(update(source, { maxBytes: 1000 }))).toBe(
      "it decompresses to more than 1000 bytes",
    );
  });

  test("if it says that an unknown database is unchanged", async () => {
    const source = offer("", { status: 304 });
    expect(await reasonOf(update(source))).toStartWith("the server answered 304: ");
  });

  test("if it redirects without an end", async () => {
    const source = offer("", { status: 302, headers: { location: "/db" } });
    expect(await reasonOf(update(source))).toBe(`${new URL(server.url).host}: more than 5 redirects`);
    expect(server.requests).toHaveLength(6);
  });

  test.each(["file:///etc/passwd", "ftp://a.example/", "data:,x", "http://", ""])(
    "if it redirects to %p",
    async (location) => {
      const source = offer("", { status: 302, headers: { location } });
      expect(await reasonOf(update(source))).toMatch(/redirect/);
    },
  );

  test("if nobody listens there", async () => {
    const source: UpdateSource = { kind: "url", url: "http://127.0.0.1:9/x.mmdb?token=hunter2" };
    expect(await reasonOf(update(source))).toBe("127.0.0.1:9: no answer: ECONNREFUSED");
  });
});

test("a stop ends a download and removes its file", async () => {
  const stop = new AbortController();
  const updating = update(offer(fresh, { end: "stall" }), { signal: stop.signal });
  await until("the temporary file", () => readdirSync(folder).length > 0);
  stop.abort();
  expect(await reasonOf(updating)).toBe("the update was stopped");
});

test("the progress has the bytes received, and the length that the server states", async () => {
  const progress: unknown[] = [];
  await update(offer(fresh), { onProgress: (now) => progress.push(now) });
  expect(progress[0]).toEqual({ receivedBytes: 0, totalBytes: fresh.length });
  expect(progress.at(-1)).toEqual({ receivedBytes: fresh.length, totalBytes: fresh.length });
});

test("two updates at the same time both succeed", async () => {
  const source = offer(fresh);
  await Promise.all([update(source), update(source)]);
  expect(readFileSync(path).equals(fresh)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["city.mmdb", "city.mmdb.origin.json"]);
});

test("files that a killed process left are removed, those of a running one are not", async () => {
  const [left, running] = ["1-a", "2-b"].map((name) => join(folder, `.city.mmdb.download-${name}`)) as [
    string,
    string,
  ];
  writeFileSync(left, "");
  writeFileSync(running, "");
  utimesSync(left, 1, 1);
  await update(offer(fresh));
  expect(readdirSync(folder).sort()).toEqual([
    ".city.mmdb.download-2-b",
    "city.mmdb",
    "city.mmdb.origin.json",
  ]);
});

test("a path that is a directory is an error", async () => {
  mkdirSync(path);
  expect(await update(offer(fresh)).catch((error: Error) => error.message)).toStartWith(
    `cannot write ${path}: `,
  );
});

test.skipIf(!canMountSmallDisks())(
  "an update that fails because the disk has no room for the origin puts no database in place",
  async () => {
    using disk = mountSmallDisk(64 * 1024);
    const ofDisk = join(disk.folder, "city.mmdb");
    const filler = fillDisk(disk.folder);
    // The database has room in one page.
    truncateSync(filler, statSync(filler).size - 4096);
    const source = offer(fresh);
    const updating = update(source, { update: { role: "geoip", path: ofDisk, source } });
    expect(await updating.catch((error: Error) => error.message)).toBe(
      `cannot write ${ofDisk}.origin.json: the disk is full`,
    );
    expect(readdirSync(disk.folder)).toEqual(["filler"]);
  },
);

test("the stored origin contains no secret", async () => {
  server.answers.set("/db?token=hunter2", { body: fresh });
  await update({ kind: "url", url: `${server.url}/db?token=hunter2` });
  expect(readFileSync(`${path}.origin.json`, "utf8")).not.toContain("hunter2");
});
