// A headless Chromium and its pages, over a pair of pipes: nothing to install.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The browser's name on this machine; undefined where there is none. */
export const chromium = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

export class Browser {
  #number = 0;
  #waiting = new Map();
  #profile = mkdtempSync(join(tmpdir(), "osprey-browser-"));
  #session;
  /** What the page wrote to its console, and errors that nobody caught. */
  said = [];

  /** @param {string[]} options of Chromium */
  static async start(options = []) {
    const browser = new Browser();
    const usual = ["--headless=new", "--no-first-run", "--disable-gpu", "--remote-debugging-pipe", "--mute-audio"];
    // In a container the sandbox has nothing to build itself from.
    const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const all = [...usual, ...root, `--user-data-dir=${browser.#profile}`, ...options, "about:blank"];
    browser.process = spawn(chromium, all, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    browser.process.stdio[4].on("data", (data) => {
      const messages = (rest + data).split("\0");
      rest = messages.pop();
      for (const message of messages) browser.#take(JSON.parse(message));
    });
    const { targetInfos } = await browser.send("Target.getTargets");
    const { targetId } = targetInfos.find(({ type }) => type === "page");
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = sessionId;
    for (const domain of ["Page", "Runtime", "Network"]) await browser.send(`${domain}.enable`);
    return browser;
  }

  #take({ id, result, error, method, params }) {
    if (method === "Runtime.exceptionThrown") this.said.push(params.exceptionDetails.exception?.description);
    if (method === "Runtime.consoleAPICalled") this.said.push(params.args.map((a) => a.value ?? a.description).join(" "));
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  send(method, params = {}) {
    const id = ++this.#number;
    const own = method.startsWith("Target.") || method.startsWith("Browser.");
    const message = { id, method, params, ...(own ? {} : { sessionId: this.#session }) };
    this.process.stdio[3].write(`${JSON.stringify(message)}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async open(url) {
    await this.send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  /** What `expression` is in the page, promises awaited. */
  async evaluate(expression) {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until `expression` holds, half a minute at most. */
  async until(expression) {
    for (let i = 0; i < 300; i++) {
      if (await this.evaluate(`Boolean(${expression})`).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never so: ${expression}\n${this.said.join("\n")}`);
  }

  /** The picture of the page, as PNG. */
  async screenshot({ width, height, dark = false, scale = 1 }) {
    const size = { width, height, deviceScaleFactor: scale, mobile: width < 900 };
    await this.send("Emulation.setDeviceMetricsOverride", size);
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await this.send("Emulation.setEmulatedMedia", { features });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }

  async close() {
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.send("Browser.close").catch(() => {});
    await gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
