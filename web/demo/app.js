// The page: what is looked at (camera, film, photo), and what is said of it.
import { Detector, DetectorStream } from "./js/index.js";
import { benchmark } from "./bench.js";
import * as digit from "./digit.js";
import { drawBoxes, inWords, paint } from "./draw.js";
import * as motion from "./motion.js";
import * as teach from "./teach.js";

const $ = (id) => document.getElementById(id);
const [stage, video, still, boxes] = ["stage", "video", "still", "boxes"].map($);

const state = {
  /** @type {Detector | undefined} */ detector: undefined,
  /** @type {DetectorStream | undefined} */ stream: undefined,
  /** What is shown: nothing, a "photo", or "video" from camera or file. */
  shows: "",
  objects: [],
  size: { width: 1, height: 1 },
  spoken: "",
};
/** For tests and for the curious. */
globalThis.osprey = state;

const say = (text) => ($("message").textContent = text);

/** The one sentence that tells a user what to do about an error. */
function explain(error) {
  const told = {
    NotAllowedError: "The camera is not allowed. Allow it in the browser's settings for this page, then try again.",
    NotFoundError: "This device has no camera. Choose a photo or film instead.",
    NotReadableError: "Another program uses the camera. Close it, then try again.",
  };
  say(told[error?.name] ?? error?.message ?? String(error));
}

async function detector() {
  state.detector ??= Detector.load().catch((error) => {
    state.detector = undefined;
    throw error;
  });
  const loaded = await state.detector;
  if ($("names").children.length === 0) {
    $("names").append(...loaded.labels.map((label) => Object.assign(document.createElement("option"), { value: label })));
    $("about").textContent = `Osprey ${loaded.info.version}, ${loaded.info.isa}, input ${loaded.info.input.width} × ${loaded.info.input.height}. Everything runs on this device.`;
  }
  return loaded;
}

async function choices() {
  const loaded = await detector();
  const wanted = $("filter").value.split(",").map((name) => name.trim()).filter(Boolean);
  const known = wanted.filter((name) => loaded.labels.includes(name));
  $("filter").setAttribute("aria-invalid", String(known.length < wanted.length));
  await loaded.configure({ scoreThreshold: Number($("score").value), ...(known.length ? { classes: known } : {}) });
  if (state.shows === "photo") await lookAtPhoto();
}

function show(objects, size) {
  [state.objects, state.size] = [objects, size];
  drawBoxes(boxes, size, objects);
  const words = inWords(objects);
  boxes.setAttribute("aria-label", `Picture with ${words}`);
  const rows = objects.slice(0, 12).map(({ label, score }) => {
    const row = document.createElement("li");
    const [name, value] = [document.createElement("span"), document.createElement("span")];
    [name.textContent, value.textContent] = [label, `${Math.round(score * 100)} %`];
    row.append(name, value);
    return row;
  });
  $("seen").replaceChildren(...rows);
}

function stop() {
  state.stream?.stop();
  state.stream = undefined;
  video.srcObject?.getTracks().forEach((track) => track.stop());
  if (video.src) URL.revokeObjectURL(video.src);
  video.pause();
  video.removeAttribute("src");
  video.srcObject = null;
  stage.classList.remove("mirrored");
  [state.shows, still.hidden, $("start").hidden] = ["", true, false];
  boxes.getContext("2d").clearRect(0, 0, boxes.width, boxes.height);
  boxes.setAttribute("aria-label", "Nothing is shown yet");
  $("seen").replaceChildren();
  $("figures").textContent = "";
  for (const id of ["stop", "freeze", "save"]) $(id).disabled = true;
  $("freeze").setAttribute("aria-pressed", "false");
}

function begin(shows) {
  state.shows = shows;
  $("start").hidden = true;
  for (const id of ["stop", "save"]) $(id).disabled = false;
  $("freeze").disabled = shows !== "video";
  say("");
}

async function watch(mirror) {
  const loaded = await detector();
  begin("video");
  stage.classList.toggle("mirrored", mirror);
  await video.play();
  let shown = 0;
  state.stream = new DetectorStream(loaded, video, {
    view: { mirror },
    onResult: ({ objects, ledger }) => {
      show(objects, { width: video.videoWidth, height: video.videoHeight });
      // Twice a second is as often as figures can be read.
      if (performance.now() - shown < 500) return;
      shown = performance.now();
      const { fps, p50, p95 } = state.stream?.figures() ?? {};
      if (fps === undefined) return;
      $("figures").textContent =
        `${fps.toFixed(0)} FPS · age ${p50.toFixed(0)} ms (95 %: ${p95.toFixed(0)}) · dropped ${ledger.dropped} of ${ledger.captured}`;
    },
    onError: explain,
    follow: $("track").checked,
  });
  state.stream.start();
}

async function openCamera() {
  try {
    stop();
    if (!navigator.mediaDevices) throw new Error("A camera needs https, or this page on localhost.");
    say("Asking for the camera…");
    const front = $("which").value === "user";
    const wanted = $("which").value;
    const device = wanted && !front ? { deviceId: { exact: wanted } } : { facingMode: front ? "user" : "environment" };
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...device, width: { ideal: 640 }, height: { ideal: 480 } },
    });
    say("Loading the detector…");
    await watch(front);
    await listCameras();
  } catch (error) {
    stop();
    explain(error);
  }
}

/** Names of cameras are known once one was allowed. */
async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const known = new Set([...$("which").options].map((option) => option.value));
  for (const { kind, deviceId, label } of devices) {
    if (kind !== "videoinput" || !label || known.has(deviceId)) continue;
    $("which").append(Object.assign(document.createElement("option"), { value: deviceId, textContent: label }));
  }
}

async function lookAtPhoto() {
  const loaded = await detector();
  show(await loaded.detect(still), { width: still.width, height: still.height });
  say(`Seen: ${inWords(state.objects)}.`);
}

async function open(file) {
  if (!file) return;
  try {
    stop();
    say(`Loading ${file.name}…`);
    if (file.type.startsWith("video/")) {
      video.src = URL.createObjectURL(file);
      video.loop = true;
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = () => reject(new Error(`${file.name} is no film that this browser plays.`));
      });
      return await watch(false);
    }
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
      throw new Error(`${file.name} is no picture that this browser reads.`);
    });
    // Phones give a page little memory: no side is longer than what a screen shows.
    const scale = Math.min(1, 4096 / Math.max(picture.width, picture.height));
    [still.width, still.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
    still.getContext("2d").drawImage(picture, 0, 0, still.width, still.height);
    picture.close();
    still.hidden = false;
    begin("photo");
    await lookAtPhoto();
  } catch (error) {
    stop();
    explain(error);
  }
}

async function save() {
  const { width, height } = state.size;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (stage.classList.contains("mirrored")) context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(state.shows === "photo" ? still : video, 0, 0, width, height);
  context.setTransform(1, 0, 0, 1, 0, 0);
  paint(context, state.objects, (x, y) => [x, y], Math.max(width, height) / 800);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  download(blob, "osprey.jpg");
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

$("camera").onclick = openCamera;
$("which").onchange = () => state.shows === "video" && video.srcObject && openCamera();
$("stop").onclick = stop;
$("save").onclick = () => save().catch(explain);
$("freeze").onclick = () => {
  const frozen = $("freeze").getAttribute("aria-pressed") !== "true";
  $("freeze").setAttribute("aria-pressed", String(frozen));
  if (frozen) {
    state.stream?.stop();
    video.pause();
    say(`Frozen: ${inWords(state.objects)}.`);
  } else {
    say("");
    video.play().catch(explain);
    state.stream?.start();
  }
};
for (const id of ["file", "choose"]) $(id).onclick = () => $("picker").click();
$("picker").onchange = () => open($("picker").files[0]).finally(() => ($("picker").value = ""));
$("score").oninput = () => ($("score-text").textContent = Number($("score").value).toFixed(2));
for (const id of ["score", "filter"]) $(id).onchange = () => choices().catch(explain);
$("track").onchange = () => state.stream?.follow($("track").checked);

stage.ondragover = (event) => {
  event.preventDefault();
  stage.classList.add("dropping");
};
stage.ondragleave = () => stage.classList.remove("dropping");
stage.ondrop = (event) => {
  event.preventDefault();
  stage.classList.remove("dropping");
  open(event.dataTransfer.files[0]);
};

let report;
$("run").onclick = async () => {
  $("run").disabled = true;
  try {
    stop();
    report = await benchmark(await detector(), (share) => ($("result").textContent = `${Math.round(share * 100)} %`));
    const round = report.rounds[report.rounds.length - 1];
    $("result").textContent =
      `${round.framesPerSecond.toFixed(1)} frames a second\n${round.totalP50.toFixed(2)} ms a frame (95 %: ${round.totalP95.toFixed(2)})\n${report.instructionSet}`;
    $("download").disabled = false;
  } catch (error) {
    explain(error);
  } finally {
    $("run").disabled = false;
  }
};
$("download").onclick = () =>
  download(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }), "osprey-benchmark.json");

teach.setUp(() => {
  if (state.shows === "photo") return { source: still };
  return state.shows === "video" ? { source: video, view: { mirror: stage.classList.contains("mirrored") } } : undefined;
}, explain);
digit.setUp(explain);
motion.setUp(explain);

// The picture's size in pixels changes with the phone's orientation; boxes follow.
new ResizeObserver(() => state.shows && drawBoxes(boxes, state.size, state.objects)).observe(stage);
// A page that nobody sees keeps no camera busy.
document.onvisibilitychange = () => {
  if (state.shows !== "video" || $("freeze").getAttribute("aria-pressed") === "true") return;
  if (document.hidden) state.stream?.stop();
  else {
    video.play().catch(explain);
    state.stream?.start();
  }
};
addEventListener("keydown", ({ key, target }) => {
  if (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox") return;
  const button = { f: "freeze", s: "save", Escape: "stop" }[key];
  if (button && !$(button).disabled) $(button).click();
});

navigator.serviceWorker?.register("sw.js").catch(() => {
  // Without one the page needs a network; it works all the same.
});
