// Detection while a video goes on: the newest frame wins, and every frame is accounted for.

/** @typedef {import("./detector.js").Detector} Detector */

/** Ages of results that percentiles are made of. */
const KEPT = 600;

/**
 * @typedef {object} Ledger what became of the frames: captured = shown + dropped + stale + failed + pending
 * @property {number} captured frames that the video presented
 * @property {number} shown frames whose result was given
 * @property {number} dropped frames that a newer one replaced
 * @property {number} stale frames whose result came too late
 * @property {number} failed frames that could not be looked at
 * @property {number} pending frames that wait or are looked at
 */

/**
 * @typedef {object} StreamResult
 * @property {(import("./detector.js").Detection & Partial<import("./detector.js").TrackedObject>)[]} objects
 * @property {number} age milliseconds from the frame's presentation to this result
 * @property {number} took milliseconds of the detection itself
 * @property {Ledger} ledger
 */

/**
 * @typedef {object} StreamOptions
 * @property {(result: StreamResult) => void} onResult
 * @property {(error: unknown) => void} [onError]
 * @property {number} [maxAge] results older than this are not given, in milliseconds; 1000 by default
 * @property {number} [rest] share of the time to leave idle, 0 to 0.9, to keep a phone cool; 0 by default
 * @property {import("./pictures.js").View} [view]
 * @property {boolean} [follow] whether objects are followed from frame to frame; true by default
 */

export class DetectorStream {
  /** @type {Detector} */ #detector;
  /** @type {HTMLVideoElement} */ #video;
  /** @type {StreamOptions} */ #options;
  /** @type {Ledger} */
  ledger = { captured: 0, shown: 0, dropped: 0, stale: 0, failed: 0, pending: 0 };
  /** When the frame that waits was presented. @type {number | undefined} */
  #waiting;
  #busy = false;
  #running = false;
  #callback = 0;
  #lastTime = -1;
  /** @type {number[]} */
  #ages = [];
  /** @type {number[]} */
  #times = [];

  /** @param {Detector} detector @param {HTMLVideoElement} video @param {StreamOptions} options */
  constructor(detector, video, options) {
    [this.#detector, this.#video, this.#options] = [detector, video, options];
  }

  /** Begins, or goes on. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#listen();
  }

  /** Stops; the frame that is looked at still counts, its result is not given. */
  stop() {
    this.#running = false;
    const video = this.#video;
    if (typeof video.cancelVideoFrameCallback === "function") video.cancelVideoFrameCallback(this.#callback);
    else cancelAnimationFrame(this.#callback);
    if (this.#waiting !== undefined) {
      this.#waiting = undefined;
      this.ledger.pending -= 1;
      this.ledger.dropped += 1;
    }
  }

  /** @param {boolean} follow whether objects are followed from now on */
  follow(follow) {
    this.#options = { ...this.#options, follow };
  }

  /** @returns {{fps: number, p50: number, p95: number, p99: number}} results a second, and ages in milliseconds */
  figures() {
    const ages = [...this.#ages].sort((a, b) => a - b);
    const at = (/** @type {number} */ p) => ages[Math.min(ages.length - 1, Math.floor(ages.length * p))] ?? 0;
    const recent = this.#times.filter((time) => time > performance.now() - 2000);
    const span = recent.length > 1 ? (recent[recent.length - 1] - recent[0]) / 1000 : 0;
    return { fps: span > 0 ? (recent.length - 1) / span : 0, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }

  #listen() {
    if (!this.#running) return;
    const video = this.#video;
    if (typeof video.requestVideoFrameCallback === "function") {
      this.#callback = video.requestVideoFrameCallback((_, { presentationTime }) => {
        this.#captured(presentationTime);
        this.#listen();
      });
    } else {
      this.#callback = requestAnimationFrame((now) => {
        const time = video.currentTime;
        if (time !== this.#lastTime) {
          this.#lastTime = time;
          this.#captured(now);
        }
        this.#listen();
      });
    }
  }

  /** @param {number} presented */
  #captured(presented) {
    this.ledger.captured += 1;
    if (this.#waiting !== undefined) this.ledger.dropped += 1;
    else this.ledger.pending += 1;
    this.#waiting = presented;
    if (!this.#busy) this.#next();
  }

  async #next() {
    if (this.#waiting === undefined || !this.#running) return;
    const presented = this.#waiting;
    [this.#waiting, this.#busy] = [undefined, true];
    const started = performance.now();
    let [objects, error] = /** @type {[any, unknown]} */ ([undefined, undefined]);
    try {
      const { follow = true, view } = this.#options;
      objects = follow
        ? await this.#detector.track(this.#video, presented / 1000, view)
        : await this.#detector.detect(this.#video, view);
    } catch (caught) {
      error = caught;
    }
    const now = performance.now();
    const [age, took] = [now - presented, now - started];
    const late = !this.#running || age > (this.#options.maxAge ?? 1000);
    const fate = !objects ? "failed" : late ? "stale" : "shown";
    this.ledger.pending -= 1;
    this.ledger[fate] += 1;
    const ledger = { ...this.ledger };
    // The next frame is on its way before this one is drawn: the worker does not wait for a page that paints.
    const rest = Math.min(Math.max(this.#options.rest ?? 0, 0), 0.9);
    const free = () => {
      this.#busy = false;
      this.#next();
    };
    if (rest > 0) setTimeout(free, (took * rest) / (1 - rest));
    else free();
    if (fate === "failed") this.#options.onError?.(error);
    if (fate !== "shown") return;
    this.#ages = [...this.#ages.slice(1 - KEPT), age];
    this.#times = [...this.#times.slice(1 - KEPT), now];
    try {
      this.#options.onResult({ objects, age, took, ledger });
    } catch (thrown) {
      this.#options.onError?.(thrown);
    }
  }
}
