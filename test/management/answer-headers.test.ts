import { describe, expect, test } from "bun:test";
import {
  type ManagementTestOptions,
  managementTest,
  secretRoutes,
  testPageFiles,
} from "../support/management.ts";

describe("every answer", () => {
  const policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

  for (const path of [
    "/",
    "/sign-in",
    "/nothing",
    "/chunk-app.js",
    "/api/v1/secret",
    "/api/v1/nothing",
    "/api/v1/broken",
    "/api/v1/large",
    "/api/v1/endless",
    "/health",
    "/metrics",
  ])
    test(`${path} has the headers that restrict a browser to this page`, async () => {
      const management = managementTest({ routes: [secretRoutes] });
      const guest = await management.ask(path);
      const operator = await management.ask(path, { cookie: await management.signIn() });
      for (const { headers } of [guest, operator]) {
        expect(headers.get("content-security-policy")).toBe(policy);
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("x-frame-options")).toBe("DENY");
        expect(headers.get("referrer-policy")).toBe("no-referrer");
        expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
        expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      }
    });

  const buildOf = async (path: string, options: ManagementTestOptions = {}) => {
    const management = managementTest({ routes: [secretRoutes], ...options });
    const answer = await management.ask(path, { cookie: await management.signIn() });
    return answer.headers.get("x-loom-build");
  };

  test("of the page and the API has the build", async () => {
    const builds = await Promise.all(
      ["/", "/sign-in", "/api/v1/secret", "/api/v1/endless"].map((path) => buildOf(path)),
    );
    expect(builds[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(builds).size).toBe(1);
  });

  test("of health checks and assets has no build", async () => {
    for (const path of ["/health", "/chunk-app.js"]) expect(await buildOf(path)).toBeNull();
  });

  test("has another build after a change of the version or of a file", async () => {
    const [file] = testPageFiles.assets;
    const assets = file ? [{ ...file, path: "/chunk-app-2.js" }] : [];
    const builds = [
      await buildOf("/"),
      await buildOf("/", { version: "1.2.4" }),
      await buildOf("/", { pageFiles: { ...testPageFiles, assets } }),
    ];
    expect(new Set(builds).size).toBe(3);
  });
});
