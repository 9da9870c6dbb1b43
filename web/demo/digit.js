// A digit that is drawn with finger, pen or mouse.
import { DigitReader } from "./js/index.js";

const $ = (id) => document.getElementById(id);

/** @param {(error: unknown) => void} explain */
export function setUp(explain) {
  const pad = $("pad");
  const context = pad.getContext("2d");
  /** @type {[number, number][][]} */
  let strokes = [];
  let reader;

  function draw() {
    const ratio = devicePixelRatio;
    [pad.width, pad.height] = [pad.clientWidth * ratio, pad.clientHeight * ratio];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    [context.lineWidth, context.lineCap, context.lineJoin] = [pad.clientWidth / 14, "round", "round"];
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  }

  async function read() {
    try {
      reader ??= DigitReader.load();
      const { digit, probabilities } = await (await reader).read(strokes);
      $("digit").textContent = `${digit} (${Math.round(probabilities[digit] * 100)} %)`;
    } catch (error) {
      if (error.code !== "picture") reader = undefined;
      explain(error);
    }
  }

  const place = ({ offsetX, offsetY }) => [offsetX, offsetY];
  pad.onpointerdown = (event) => {
    pad.setPointerCapture(event.pointerId);
    strokes.push([place(event)]);
    draw();
  };
  pad.onpointermove = (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    strokes[strokes.length - 1].push(place(event));
    draw();
  };
  pad.onpointerup = read;
  $("wipe").onclick = () => {
    strokes = [];
    $("digit").textContent = "";
    draw();
  };
}
