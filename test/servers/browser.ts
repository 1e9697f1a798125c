import { chromium, type Page } from "playwright-core";
import { findProgram } from "../../demo/find-program.ts";

/** A page as a reader sees it, and what it tried to reach. */
export interface RenderedPage {
  /** Width that the content takes, in CSS pixels; above the viewport's the reader must scroll sideways. */
  readonly contentWidth: number;
  /** Visible text. */
  readonly text: string;
  /** Addresses that the page asked for beside itself. */
  readonly requests: readonly string[];
  /** Scripts that ran, dialogs that opened. */
  readonly disturbances: readonly string[];
  /** PNG of the whole page. */
  readonly screenshot: Buffer;
}

/** A real Chromium without a window. */
export interface Browser extends AsyncDisposable {
  /** Opens a self-contained HTML text in a viewport of this width; every request that it makes is refused and recorded. */
  render(html: string, width: number): Promise<RenderedPage>;
  /** Opens an address in a context of its own; the caller closes it. */
  open(url: string): Promise<Page>;
}

/** Starts the Chromium of the system (or of the project's own tools); throws when there is none. */
export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: findProgram("chromium", "chromium-browser", "google-chrome"),
    // The sandbox needs privileges that a container does not have; only texts of our own are opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    async render(html, width) {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      const requests: string[] = [];
      const disturbances: string[] = [];
      await page.route("**/*", async (route) => {
        requests.push(route.request().url());
        await route.abort();
      });
      page.on("dialog", (dialog) => {
        disturbances.push(dialog.message());
        dialog.dismiss().catch(() => undefined);
      });
      page.on("console", (message) => disturbances.push(message.text()));
      await page.setContent(html, { waitUntil: "load" });
      const contentWidth = await page.evaluate<number>("document.documentElement.scrollWidth");
      const text = await page.innerText("body");
      const screenshot = await page.screenshot({ fullPage: true });
      await page.close();
      return { contentWidth, text, requests, disturbances, screenshot };
    },
    async open(url) {
      const page = await browser.newPage({ viewport: { width: 900, height: 800 } });
      await page.goto(url, { waitUntil: "load" });
      return page;
    },
    [Symbol.asyncDispose]: async () => browser.close(),
  };
}
