import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readStore, storeFiles } from "../support/store-reader.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const now = Date.now();

let folder: string;
let storeDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loom-import-"));
  storeDir = join(folder, "store");
  writeFileSync(
    join(folder, "loom.toml"),
    `[server]\ntls = false\n[output]\ntype = "store"\nstore_dir = "${storeDir}"\nstore_max_days = 10\n[output.outbox]\ndir = "${folder}/outbox"\n`,
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `loom store` with the test's configuration. */
async function store(args: readonly string[], stdin: string | Uint8Array = "") {
  const run = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "../../server/cli/loom.ts"),
      "store",
      ...args,
      "-config",
      "loom.toml",
    ],
    { cwd: folder, env: {}, stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" },
  );
  const [stdout, stderr, status] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { stdout, stderr, status };
}

const importText = (text: string | Uint8Array, ...flags: readonly string[]) =>
  store(["import", "-", ...flags], text);

function event(
  fields: Readonly<Record<string, unknown>> = {},
  at: number | undefined = now - hourMs,
): string {
  const time = at === undefined ? {} : { "@timestamp": new Date(at).toISOString() };
  return JSON.stringify({ ...time, observer: { id: "vps-1" }, ...fields });
}

describe("the time of receipt of an imported event is", () => {
  test("its @timestamp", async () => {
    await importText(`${event()}\n${event({}, now - 3 * dayMs)}\n`);
    expect(readStore(storeDir).rows.map(({ receivedAt }) => receivedAt)).toEqual([
      now - hourMs,
      now - 3 * dayMs,
    ]);
  });

  test("its @timestamp if that is less than two days in the future", async () => {
    await importText(`${event({}, now + 2 * dayMs - hourMs)}\n`);
    expect(readStore(storeDir).rows[0]?.receivedAt).toBe(now + 2 * dayMs - hourMs);
  });

  test("the time of the import if its @timestamp is missing, not a time, or further in the future, which is counted", async () => {
    const lines = [
      `{"observer":{"id":"vps-1"}}`,
      event({ "@timestamp": "yesterday" }),
      event({}, now + 2 * dayMs + hourMs),
    ];
    const { stderr, status } = await importText(`${lines.join("\n")}\n`);
    for (const { receivedAt } of readStore(storeDir).rows) expect(receivedAt).toBeWithin(now, Date.now() + 1);
    expect(stderr).toBe(
      "3 events are imported; 3 of them have no possible @timestamp, and got the time of the import\n",
    );
    expect(status).toBe(0);
  });
});

describe("the sensor of an imported event is", () => {
  test("its observer.id", async () => {
    await importText(`${event({ observer: { id: "vps-7" } })}\n`, "-sensor", "other");
    expect(readStore(storeDir).rows[0]?.sensorId).toBe("vps-7");
  });

  test("that of -sensor if it has none that can be an id", async () => {
    await importText(
      `${event({ observer: {} })}\n${event({ observer: { id: "a\nb" } })}\n`,
      "-sensor",
      "other",
    );
    expect(readStore(storeDir).rows.map(({ sensorId }) => sensorId)).toEqual(["other", "other"]);
  });

  test("needed: the line is skipped without one", async () => {
    const { stderr, status } = await importText(`${event({ observer: {} })}\n`);
    expect(stderr).toBe(
      "-:1: the line is skipped: it has no observer.id that can be the id of a sensor; -sensor sets one\n0 events are imported; 1 lines are skipped, because they are invalid\n",
    );
    expect(status).toBe(1);
    expect(storeFiles(storeDir)).toEqual([]);
  });
});

describe("a line is skipped, with its number and status 1, if it is", () => {
  const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["not JSON", "hello", "it is not one JSON object"],
    ["an array", "[{}]", "it is not one JSON object"],
    ["two objects", "{}{}", "it is not one JSON object"],
    ["not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "it is not one JSON object"],
    ["nested too deeply", `{"a":${nested}}`, "it is not one JSON object"],
    ["too long", `{"a":"${"x".repeat(17 * 1024 * 1024)}"}`, "it is too long"],
  ];
  for (const [what, line, reason] of cases)
    test(what, async () => {
      const text = Buffer.concat([
        Buffer.from(`${event()}\n\n`),
        Buffer.from(line),
        Buffer.from(`\n${event()}\n`),
      ]);
      const { stderr, status } = await importText(text);
      expect(stderr).toBe(
        `-:3: the line is skipped: ${reason}\n2 events are imported; 1 lines are skipped, because they are invalid\n`,
      );
      expect(status).toBe(1);
      expect(readStore(storeDir).rows.length).toBe(2);
    });
});

test("twenty invalid lines are reported, and all are counted", async () => {
  const { stderr } = await importText("x\n".repeat(50));
  const lines = stderr.trimEnd().split("\n");
  expect(lines.length).toBe(22);
  expect(lines.slice(-2)).toEqual([
    "further invalid lines are only counted",
    "0 events are imported; 50 lines are skipped, because they are invalid",
  ]);
});

test("an event that is older than store_max_days is skipped and counted", async () => {
  const { stderr, status } = await importText(
    `${event({}, now - 12 * dayMs)}\n${event({}, now - 9 * dayMs)}\n`,
  );
  expect(stderr).toBe(
    "1 events are imported; 1 lines are skipped, because their events are older than store_max_days (10)\n",
  );
  expect(status).toBe(0);
  expect(readStore(storeDir).rows.map(({ receivedAt }) => receivedAt)).toEqual([now - 9 * dayMs]);
});

test("an event is stored byte for byte, without blanks and line ends around it", async () => {
  const line = '{"n":1.0, "n":18446744073709551615,"observer":{"id":"vps-1"} , "s":"\\u0026é"}';
  await importText(`  ${line} \r\n${line}`);
  expect(readStore(storeDir).rows.map(({ document }) => document)).toEqual([line, line]);
});

test("several files are imported one after another, and compressed members after another too", async () => {
  writeFileSync(join(folder, "a"), `${event({ n: 1 })}\n`);
  writeFileSync(
    join(folder, "b.gz"),
    Buffer.concat([gzipSync(`${event({ n: 2 })}\n`), gzipSync(`${event({ n: 3 })}\n`)]),
  );
  const { stderr } = await store(["import", "a", "b.gz"]);
  expect(stderr).toBe("3 events are imported\n");
  expect(readStore(storeDir).rows.map(({ document }) => JSON.parse(document).n)).toEqual([1, 2, 3]);
});

test("what precedes the end of a compressed file that is cut off is imported, and said", async () => {
  const lines = Array.from({ length: 2_000 }, (_, n) => event({ n, x: Bun.hash(String(n)).toString() }));
  const zipped = gzipSync(`${lines.join("\n")}\n`);
  const { stderr, status } = await importText(zipped.subarray(0, zipped.length / 2));
  const { rows } = readStore(storeDir);
  expect(rows.length).toBeWithin(100, 1_999);
  expect(rows.map(({ document }) => document)).toEqual(lines.slice(0, rows.length));
  expect(stderr).toContain(
    `; ${rows.length} events, from the lines up to -:${rows.length}, are imported and stay\n`,
  );
  expect(status).toBe(1);
});

test("a file that does not exist is an error, and the files before it are imported", async () => {
  writeFileSync(join(folder, "a"), `${event()}\n`);
  const { stderr, status } = await store(["import", "a", "missing"]);
  expect(stderr).toMatch(/^import: ENOENT: .*; 1 events, from the lines up to a:1, are imported and stay\n$/);
  expect(status).toBe(1);
});

test("file names are escaped in messages", async () => {
  writeFileSync(join(folder, "\u001b[31m"), "x\n");
  expect((await store(["import", "\u001b[31m"])).stderr).not.toContain("\u001b");
});

describe("prune", () => {
  beforeEach(async () => {
    await importText([1, 3, 5, 7].map((days) => `${event({}, now - days * dayMs)}\n`).join(""));
  });

  test("-dry-run lists what would be removed and removes nothing", async () => {
    const { stdout, status } = await store(["prune", "-days", "4", "-dry-run"]);
    expect(stdout).toMatch(/^2 files, 2 events, \d+ bytes, would be removed$/m);
    expect(status).toBe(0);
    expect(storeFiles(storeDir).length).toBe(4);
  });

  test("-days removes the files of days that are longer ago", async () => {
    const { stdout } = await store(["prune", "-days", "4"]);
    expect(stdout).toMatch(/^2 files, 2 events, \d+ bytes, removed$/m);
    expect(
      readStore(storeDir)
        .rows.map(({ receivedAt }) => receivedAt)
        .toSorted(),
    ).toEqual([now - 3 * dayMs, now - dayMs]);
  });

  test("-before removes the files of earlier days", async () => {
    const day = new Date(now - 3 * dayMs).toISOString().slice(0, 10);
    await store(["prune", "--before", day]);
    expect(readStore(storeDir).rows.length).toBe(2);
  });

  test("says that nothing is that old", async () => {
    expect((await store(["prune", "-days", "8"])).stdout).toBe("no file of the store is that old\n");
  });
});

test("commands that read say what an empty store has, and do not create it", async () => {
  expect((await store(["stats"])).stdout).toMatch(/^0 files +0 +0/m);
  expect((await store(["verify"])).stdout).toBe("0 files with 0 events: nothing is damaged\n");
  expect((await store(["export"])).stdout).toBe("");
  expect((await store(["prune", "-days", "0"])).stdout).toBe("no file of the store is that old\n");
  expect(existsSync(storeDir)).toBe(false);
});

test("stats and verify name files in damaged/ and files that cannot be read", async () => {
  await importText(`${event()}\n`);
  mkdirSync(join(storeDir, "damaged"));
  writeFileSync(join(storeDir, "damaged", "2026-01-01-1.db"), "1234");
  writeFileSync(join(storeDir, "2026-01-02-900.db"), "not a database");
  const { stdout } = await store(["stats"]);
  expect(stdout).toContain("damaged/   2026-01-01-1.db (4 bytes); Loom does not use them\n");
  expect(stdout).toMatch(/^2026-01-02-900\.db +2026-01-02 +unreadable +14 *$/m);
  const verified = await store(["verify"]);
  expect(verified.status).toBe(1);
  expect(verified.stdout).toMatch(/^2026-01-02-900\.db: file: cannot read /m);
  expect(readdirSync(join(storeDir, "damaged"))).toEqual(["2026-01-01-1.db"]);
});

describe("wrong arguments give status 2:", () => {
  for (const args of [
    [],
    ["repair"],
    ["stats", "now"],
    ["import"],
    ["import", "-", "-sensor", "a b"],
    ["export", "port:abc"],
    ["export", "-format", "table"],
    ["export", "-columns", "ip"],
    ["prune"],
    ["prune", "-days", "1", "-before", "2026-01-01"],
    ["prune", "-days", "x"],
    ["prune", "-before", "2026-02-30"],
  ])
    test(`loom store ${args.join(" ")}`, async () => {
      const { stdout, stderr, status } = await store(args);
      expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
      expect(stderr).toMatch(/^loom store: [^\n]+; see "loom help"\n$/);
    });
});
