// How fast this device is, in the form that the app's Benchmark screen writes and `benches/devices/table` reads.

const SECONDS = 10;
const SIZE = [640, 480];
/** Frames of a round. */
const FRAMES = 100;

/** @param {number[]} sorted @param {number} share */
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** @param {import("../js/detector.js").Detector} detector @param {(share: number) => void} progress */
export async function benchmark(detector, progress) {
  const [width, height] = SIZE;
  const data = new Uint8ClampedArray(width * height * 4).map((_, i) => ((i >> 2) * 7 + (i % 4) * 50) & 255);
  const frame = { data, width, height };
  // Caches and clocks warm up before anything counts.
  for (let i = 0; i < 20; i++) await detector.detect(frame);
  const rounds = [];
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  while (elapsed() < SECONDS) {
    const [start, times] = [performance.now(), []];
    for (let i = 0; i < FRAMES; i++) {
      const submitted = performance.now();
      await detector.detect(frame);
      times.push(performance.now() - submitted);
    }
    const framesPerSecond = (1000 * FRAMES) / (performance.now() - start);
    times.sort((a, b) => a - b);
    rounds.push({
      configuration: 0,
      at: elapsed(),
      frames: FRAMES,
      framesPerSecond,
      // A page sees a frame go and its boxes come; what lies between is all inference to it.
      preprocessP50: 0,
      inferenceP50: at(times, 0.5),
      inferenceP95: at(times, 0.95),
      inferenceP99: at(times, 0.99),
      postprocessP50: 0,
      totalMin: times[0],
      totalP50: at(times, 0.5),
      totalP95: at(times, 0.95),
      thermal: 0,
    });
    progress(elapsed() / SECONDS);
  }
  return {
    format: "osprey-device-benchmark-2",
    device: navigator.userAgentData?.platform ?? navigator.platform ?? "a browser",
    system: navigator.userAgent,
    library: detector.info.version,
    build: "release",
    instructionSet: detector.info.isa,
    cores: navigator.hardwareConcurrency,
    model: detector.info.model,
    date: new Date().toISOString(),
    configurations: [{ name: "browser", threads: 1, frameWidth: width, frameHeight: height, seconds: SECONDS }],
    conditions: [{ thermal: 0, isLowPowerMode: false, isCharging: false }],
    rounds,
  };
}
