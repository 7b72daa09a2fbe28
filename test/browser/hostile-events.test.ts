import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { closeBrowserAfterwards, describeInBrowser } from "../support/browser.ts";
import { startWithDashboard } from "../support/dashboard.ts";
import { maxTestMs } from "../support/executable.ts";
import { send } from "../support/send.ts";
import { until } from "../support/until.ts";
import { phone, viewOf } from "../support/view.ts";

setDefaultTimeout(maxTestMs);
closeBrowserAfterwards();

/** Texts that attackers put into payloads to run code in the reader's browser or to mislead the reader. */
const hostileTexts: Readonly<Record<string, string>> = {
  script: "<script>alert(document.domain)</script>",
  image: '"><img src=x onerror=alert(1)>',
  svg: "<svg/onload=alert(1)>",
  link: "javascript:alert(1)",
  attribute: "' onmouseover='alert(1)' autofocus onfocus='alert(1)",
  style: "</style><style>*{display:none}</style>",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is tried
  template: "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
  bidi: "invoice\u202egnp.exe\u2066\u2067 abc",
  terminal: "\u001b]0;owned\u0007\u001b[2J\u001b[31m",
  lines: "a\r\nb\nc\u2028d\u2029e\u0085f",
  nothing: "\u0000\u200b\u00ad\ufeff\u2060",
  marks: `z${"\u0301\u0489".repeat(400)}`,
  half: "\ud83d \udc1d",
  long: "A".repeat(100_000),
  wide: "\u{1f41d}".repeat(30_000),
  url: "https://evil.example/?q=<b>x</b>",
};

/** The fields that the page shows. */
const shownFields = [
  "@timestamp",
  "message",
  "destination.ip",
  "event.id",
  "event.summary",
  "host.name",
  "http.request.method",
  "http.request.hash.ja4h",
  "network.community_id",
  "network.protocol",
  "observer.id",
  "source.ip",
  "source.as.organization.name",
  "source.geo.city_name",
  "source.geo.country_name",
  "ssh.client.hash.hassh",
  "tls.client.hash.ja4",
  "tls.client.server_name",
  "url.domain",
  "url.path",
  "user_agent.original",
];
/** The texts of one event together: Loom samples events up to 512 KiB. */
const maxTextsLength = 200_000;

/** Events with a hostile text in every shown field and as a key, and with keys that have a meaning in JavaScript. */
function hostileEvents(text: string): string[] {
  const perEvent = Math.max(1, Math.floor(maxTextsLength / text.length));
  const groups = Array.from({ length: Math.ceil(shownFields.length / perEvent) }, (_, i) =>
    shownFields.slice(i * perEvent, (i + 1) * perEvent),
  );
  return groups.map((fields) => {
    const event: Record<string, unknown> = { destination: { port: 23 } };
    for (const field of fields) setField(event, field.split("."), text);
    if (text.length < 1_000) event[text] = { [text]: text };
    const traps = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1';
    return `{${traps},${JSON.stringify(event).slice(1)}`;
  });
}

function setField(
  event: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  text: string,
): void {
  if (rest.length === 0) event[key] = text;
  else {
    event[key] ??= {};
    setField(event[key] as Record<string, unknown>, rest, text);
  }
}

const config = `
[server]
tls = false
listen_address = "127.0.0.1:0"
management_listen_address = "127.0.0.1:0"
[limits]
max_body_size_bytes = 33554432
max_event_size_bytes = 524288
`;

describeInBrowser("hostile events", () => {
  for (const [name, text] of Object.entries(hostileTexts))
    test(`"${name}" is harmless in the tail and in an opened event`, async () => {
      await using loom = await startWithDashboard({ config });
      await using view = await viewOf(loom);
      const { page } = view;
      await view.open("/tail");
      const events = hostileEvents(text);
      const rows = page.locator("table.events tbody tr");
      for (const [i, event] of events.entries()) {
        // The events are sent one by one: of large events that arrive together a viewer gets only the latest.
        expect(await send(loom.ingestUrl, `[${event}]`)).toBe(204);
        await rows.nth(i).waitFor();
      }
      const drawer = page.getByRole("dialog");
      for (const row of await rows.all()) {
        expect((await row.boundingBox())?.height).toBeLessThan(40);
        await page.keyboard.press("j");
        await drawer.waitFor();
        await drawer.getByRole("button", { name: "Raw" }).click();
        await drawer.locator("pre.raw").waitFor();
        await hoverOver(page);
        expect(await overflowOf(page)).toBe(0);
      }
      expect(await page.evaluate(() => Object.hasOwn(Object.prototype, "polluted"))).toBe(false);
      expect(await foreignElements(page)).toBe(0);
      expect(view.faults).toEqual([]);
    });

  test("all of them are harmless on the pages that count and list, also on a phone", async () => {
    await using loom = await startWithDashboard({ config });
    await using view = await viewOf(loom, { viewport: phone });
    const { page } = view;
    for (const text of Object.values(hostileTexts))
      expect(await send(loom.ingestUrl, `[${hostileEvents(text).join(",")}]`)).toBe(204);
    // Requests that claim such an id are refused, and listed as refused.
    for (const text of Object.values(hostileTexts)) {
      const id = text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 4_000);
      expect(await send(loom.ingestUrl, "[]", { token: "wrong", headers: { "x-spip-id": id } })).toBe(401);
    }
    for (const path of [
      "/attacks?window=5m",
      "/refusals",
      "/sensors",
      "/sensors/vps-frankfurt-01",
      "/tail",
      "/",
    ]) {
      await view.open(path);
      await until(
        `${path} is drawn`,
        async () => (await page.locator(".placeholder", { hasText: "Loading" }).count()) === 0,
      );
      expect({ path, overflow: await overflowOf(page) }).toEqual({ path, overflow: 0 });
      expect({ path, foreign: await foreignElements(page) }).toEqual({ path, foreign: 0 });
    }
    expect(view.faults).toEqual([]);
  });

  test("a text that reverses its direction is shown with an escape", async () => {
    await using loom = await startWithDashboard({ config });
    await using view = await viewOf(loom);
    await view.open("/tail");
    await send(loom.ingestUrl, '[{"event":{"summary":"invoice\\u202egnp.exe"}}]');
    await view.page.getByText("invoice\\u{202e}", { exact: false }).first().waitFor();
  });

  test("copying a cut text copies the whole text", async () => {
    await using loom = await startWithDashboard({ config });
    await using view = await viewOf(loom);
    const { page } = view;
    const path = `/${"a".repeat(3_000)}/end`;
    await view.open("/tail");
    await send(loom.ingestUrl, `[{"url":{"path":"${path}"}}]`);
    const cut = page.locator("td.what .cut").first();
    await cut.waitFor();
    const copied = await cut.evaluate((element) => {
      getSelection()?.selectAllChildren(element);
      const data = new DataTransfer();
      element.dispatchEvent(
        new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }),
      );
      return data.getData("text/plain");
    });
    expect(copied).toBe(path);
  });
});

/** The number of pixels by which the page is wider than its window. */
function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** The number of elements that only an event's markup could have created. */
function foreignElements(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      document.querySelectorAll(
        "script:not([src]), img, iframe, object, embed, body style, [onerror], [onload], [onmouseover], [onfocus], a[href^='javascript:']",
      ).length,
  );
}

async function hoverOver(page: Page): Promise<void> {
  for (const cut of (await page.locator("dialog .facts .cut").all()).slice(0, 8)) await cut.hover();
}
