import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { RunningLoom } from "./executable.ts";

/** The path of Chromium, which has different names in different distributions; undefined if it is not installed. */
const chromiumPath = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find((path) => path !== null);

export const adminToken = "browser-test-admin-token";

/** Chromium runs with a temporary profile, and makes no requests of its own to the internet. */
const chromiumArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface ViewOptions {
  readonly colorScheme?: "light" | "dark";
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly isTouch?: boolean;
  /** undefined: signed in. */
  readonly isGuest?: boolean;
}

/** A new browser window, and the list of what no page of Loom may do. */
export interface View extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Script errors, violations of the content security policy, dialogs, and requests to other hosts. It has to stay empty. */
  readonly faults: readonly string[];
  /** Opens a page of the dashboard by its path, and waits until it shows something. */
  open(path: string): Promise<void>;
}

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

let browser: Promise<Browser> | undefined;

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Opens a window with Loom's dashboard, by default signed in. */
export async function viewOf(
  loom: Pick<RunningLoom, "managementUrl">,
  options: ViewOptions = {},
): Promise<View> {
  const context = await (await launched()).newContext({
    viewport: options.viewport ?? desktop,
    colorScheme: options.colorScheme ?? "light",
    hasTouch: options.isTouch ?? false,
    reducedMotion: "reduce",
    baseURL: loom.managementUrl,
  });
  if (!options.isGuest) {
    const answer = await context.request.post("/api/v1/session", { data: { token: adminToken } });
    if (answer.status() !== 204) throw new Error(`cannot sign in: ${answer.status()} ${await answer.text()}`);
  }
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", ({ message }) => faults.push(`error: ${message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy|trusted ?type/i.test(message.text()))
      faults.push(`refused: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (
      new URL(request.url()).host !== new URL(loom.managementUrl).host &&
      !request.url().startsWith("data:")
    )
      faults.push(`request to ${request.url()}`);
  });
  return {
    page,
    context,
    faults,
    async open(path) {
      await page.goto(path);
      await page.locator("h1").waitFor();
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

function launched(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error("there is no Chromium: apt-get install chromium");
  browser ??= chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
  return browser;
}
