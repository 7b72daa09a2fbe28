import { expect, setDefaultTimeout, test } from "bun:test";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs, parseLog } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { adminToken, viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

describeInBrowser("signing in", () => {
  test("a guest who opens a page is on that page after signing in", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom, { isGuest: true });
    const { page } = view;
    await page.goto("/tail?q=port%3A23");
    await page.getByLabel("Sign-in token").fill(adminToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Live tail" }).waitFor();
    expect(new URL(page.url()).search).toBe("?q=port%3A23");
    expect(view.faults).toEqual([]);
  });

  test("a wrong token is refused, and the page says where to find the right one", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom, { isGuest: true });
    const { page } = view;
    await page.goto("/");
    await page.getByLabel("Sign-in token").fill("not-the-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Wrong token").waitFor();
    expect(await page.getByText("LOOM_ADMIN_TOKEN").isVisible()).toBe(true);
    expect(await view.context.cookies()).toEqual([]);
  });

  test("the link from the log signs in, and its token does not stay in the address bar", async () => {
    const link = await startedLink();
    await using loom = link.loom;
    await using view = await viewOf(loom, { isGuest: true });
    await view.page.goto(link.url);
    await view.page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(view.page.url()).toBe(`${loom.managementUrl}/`);
    const token = new URL(link.url).hash.slice(1);
    expect(
      await view.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })),
    ).not.toContain(token);
    expect(await view.page.content()).not.toContain(token);
    expect(view.faults).toEqual([]);
  });

  test("the link does not work twice", async () => {
    const link = await startedLink();
    await using loom = link.loom;
    await using first = await viewOf(loom, { isGuest: true });
    await first.page.goto(link.url);
    await first.page.getByRole("heading", { name: "Overview" }).waitFor();
    await using second = await viewOf(loom, { isGuest: true });
    await second.page.goto(link.url);
    await second.page.getByText("A sign-in link from the log works only once").waitFor();
  });

  test("an ended session leads to the sign-in page and back", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const { page, context } = view;
    await view.open("/sensors?state=never_seen");
    await context.clearCookies();
    await page.getByLabel("Sign-in token").fill(adminToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Sensors" }).waitFor();
    expect(new URL(page.url()).search).toBe("?state=never_seen");
  });

  test("signing out ends the session in Loom too", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    const [cookie] = await view.context.cookies();
    await view.open("/");
    await view.page.getByRole("button", { name: "Sign out" }).click();
    await view.page.getByLabel("Sign-in token").waitFor();
    const stolen = await fetch(`${loom.managementUrl}/api/v1/overview`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}` },
    });
    expect(stolen.status).toBe(401);
  });

  test("a link from another site needs no new sign-in if there is a session", async () => {
    await using loom = await startWithDashboard();
    await using view = await viewOf(loom);
    // Another site: the same port under another name of this host.
    await view.page.goto(`${loom.managementUrl.replace("127.0.0.1", "localhost")}/sign-in`);
    await view.page.evaluate((url) => location.assign(url), `${loom.managementUrl}/outputs`);
    await view.page.getByRole("heading", { name: "Outputs", exact: true }).waitFor();
    expect(view.page.url()).toBe(`${loom.managementUrl}/outputs`);
  });
});

/** Starts Loom without LOOM_ADMIN_TOKEN. @returns it with the sign-in link from its log */
async function startedLink() {
  const loom = await startWithDashboard({ hasLink: true });
  const url = await until(
    "the sign-in link",
    () => parseLog(loom.stderrText()).find(({ msg }) => msg === "sign in to the dashboard")?.url,
  );
  return { loom, url: String(url) };
}
