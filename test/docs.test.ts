import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { referenceTables } from "../scripts/configuration-reference.ts";
import { knownScannersTable } from "../scripts/known-scanners-table.ts";
import { sections, sectionsWith } from "../server/config/keys.ts";
import { ingestPaths } from "../server/ingest/ingest-app.ts";
import { statusOfRefusal } from "../server/ingest/refusal.ts";
import { statusOfError } from "../server/management/api/json-answer.ts";
import { outputDescriptors } from "../server/outputs/registry.ts";
import { readSource, root, sourceFiles } from "./structure/source-files.ts";
import { allMetrics } from "./support/all-metrics.ts";

function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

for (const name of ["README.md", "CONTRIBUTING.md"])
  test(`${name} names the pinned version of Bun and no other`, () => {
    const versions = new Set(readPage(name).match(/bun@[\d.]+/g));
    expect([...versions]).toEqual([manifest.packageManager]);
  });

describe("each link of the documentation leads to a file and a heading:", () => {
  const pages = [".", "docs", "ui"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  );
  for (const page of pages)
    test(page, () => {
      const links = [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
      for (const [, path = "", heading] of links) {
        const target = path === "" ? page : join(dirname(page), path);
        expect([target, existsSync(join(root, target))]).toEqual([target, true]);
        if (heading !== undefined) expect(headingsOf(target)).toContain(heading);
      }
    });
});

/** The anchors that GitHub gives the headings of a page. */
function headingsOf(page: string): string[] {
  const headings = readPage(page).match(/(?<=^#+ ).+$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

test("CONTRIBUTING.md names every variable that tests and benchmarks read", () => {
  const files = (["test", "scripts"] as const).flatMap(sourceFiles);
  const read = files.flatMap(
    (file) => readSource(file).match(/\bLOOM_(?:TEST|BENCH|MODEL|FUZZ|KILLS)\w*/g) ?? [],
  );
  expect(read.length).toBeGreaterThan(5);
  for (const name of new Set(read)) expect(readPage("CONTRIBUTING.md")).toContain(name);
});

describe("docs/ingest-api.md", () => {
  const page = readPage("docs/ingest-api.md");
  for (const [code, status] of Object.entries(statusOfRefusal))
    if (code !== "client_closed_request")
      test(`has the answer ${status} ${code}`, () => {
        expect(page).toMatch(new RegExp(`\\| ${status} \\|.*\`${code}\``));
      });

  test("has every path of ingest", () => {
    for (const path of ingestPaths) expect(page).toContain(`POST ${path}\``);
  });
});

test("docs/limits.md names every key of [limits]", () => {
  for (const key of Object.keys(sections.limits)) expect(readPage("docs/limits.md")).toContain(`\`${key}\``);
});

describe("docs/configuration.md", () => {
  const page = readPage("docs/configuration.md");

  for (const [section, table] of referenceTables())
    test(`describes the keys of ${section} as the code does; if not, run scripts/configuration-reference.ts`, () => {
      const [, ofSection = ""] = page.split(`\n## ${section}\n`);
      const [reference = ""] = ofSection.split("\n## ");
      expect(reference).toContain(table);
    });

  test("describes no other section", () => {
    const headings = page.match(/(?<=^## )\[.+\]$/gm) ?? [];
    expect(headings.toSorted()).toEqual([...referenceTables().keys()].toSorted());
  });

  test("names every environment variable of a key", () => {
    const [, environment = ""] = page.split("\n## Environment\n");
    const keys = Object.values(sectionsWith(outputDescriptors)).flatMap((keys) => Object.values(keys));
    const variables = keys.flatMap((key) => key.environment ?? []);
    expect(variables.length).toBeGreaterThan(0);
    for (const variable of variables) expect(environment).toContain(`\`${variable}\``);
  });
});

test("docs/data.md lists the known scanners as the data does; if not, run scripts/known-scanners-table.ts", () => {
  expect(readPage("docs/data.md")).toContain(`\n\n${knownScannersTable()}\n`);
});

describe("docs/metrics.md", () => {
  const page = readPage("docs/metrics.md");
  const { descriptions } = allMetrics().metrics;
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");

  for (const { name, type, labels, help } of descriptions)
    test(`describes ${name} as the code does`, () => {
      expect(page.split("\n")).toContain(`| \`${name}\` | ${type} | ${code(labels)} | ${help} |`);
    });

  test("describes no other metric", () => {
    const names = page.match(/(?<=^\| `)loom_\w+/gm) ?? [];
    expect(names.toSorted()).toEqual(descriptions.map(({ name }) => name).toSorted());
  });
});

describe("docs/api.md", () => {
  const reference = readPage("docs/api.md");
  const folder = new URL("../server/management/api/", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const paths = new Set(sources.join("\n").match(/(?<=["`])\/api\/v1\/[^"`?\s…]+/g));

  test("is compared with every path of the API", () => {
    expect(paths.size).toBeGreaterThan(10);
  });

  for (const path of paths)
    test(`has ${path}`, () => {
      expect(reference).toContain(path);
    });

  for (const code of Object.keys(statusOfError))
    if (code !== "internal_error" && code !== "method_not_allowed")
      test(`has the error ${code}`, () => {
        expect(reference).toContain(`\`${code}\``);
      });
});
