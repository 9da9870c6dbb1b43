// Boxes over a picture that fits the stage.

/** A colour for a number, the same every time: neighbours lie far apart. */
export const color = (number) => `hsl(${(number * 137.5) % 360} 90% 60%)`;

/**
 * Draws `objects`, in pixels of a picture of `size`, over all of `canvas`.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size
 * @param {any[]} objects
 */
export function drawBoxes(canvas, size, objects) {
  const ratio = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const scale = Math.min(width / size.width, height / size.height);
  const [left, top] = [(width - size.width * scale) / 2, (height - size.height * scale) / 2];
  paint(context, objects, (x, y) => [left + x * scale, top + y * scale], 1);
}

/** Draws `objects` into a picture itself. */
export function paint(context, objects, place, unit) {
  context.lineWidth = 3 * unit;
  context.font = `600 ${15 * unit}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const height = 20 * unit;
  const labels = [];
  for (const { label, score, box, id, classId } of objects) {
    const [x, y] = place(box.x, box.y);
    const [right, bottom] = place(box.x + box.width, box.y + box.height);
    const style = (context.strokeStyle = color(id || classId + 1));
    context.strokeRect(x, y, right - x, bottom - y);
    const text = `${label} ${Math.round(score * 100)} %`;
    const width = context.measureText(text).width + 10 * unit;
    const area = { left: x - 1.5 * unit, top: Math.max(y - height, 0), width };
    // One below the other where boxes begin at the same place; the best stays at its box.
    const covers = (other) =>
      Math.abs(other.top - area.top) < height && other.left < area.left + width && area.left < other.left + other.width;
    for (let other; (other = labels.find(covers)); ) area.top = other.top + height;
    labels.push({ ...area, text, style });
  }
  for (const { left, top, width, text, style } of labels) {
    context.fillStyle = style;
    context.fillRect(left, top, width, height);
    context.fillStyle = "#000";
    context.fillText(text, left + 4.5 * unit, top + 3 * unit);
  }
}

/** "2 persons, 1 dog": what a screen reader says of a picture. */
export function inWords(objects) {
  const counts = new Map();
  for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  const words = [...counts].map(([label, count]) => (count > 1 ? `${count} × ${label}` : label));
  return words.length ? words.join(", ") : "nothing that the detector knows";
}
