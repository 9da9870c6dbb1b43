// Pixels of a PNG, for tests: Node has no decoder, but all that one is made of.
import { readFile } from "node:fs/promises";
import { inflateSync } from "node:zlib";

/** @param {string | URL} path an 8-bit RGB or RGBA picture without interlacing */
export async function png(path) {
  const bytes = await readFile(path);
  const [width, height, depth, color, interlaced] = [
    bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25], bytes[28],
  ];
  const channels = { 2: 3, 6: 4 }[color];
  if (depth !== 8 || !channels || interlaced) throw new Error(`${path}: a PNG of another kind`);
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, end));
  }
  const packed = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = packed[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? data[y * stride + x - channels] : 0;
      const up = y > 0 ? data[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? data[(y - 1) * stride + x - channels] : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      data[y * stride + x] = packed[y * (stride + 1) + 1 + x] + predicted;
    }
  }
  return { data, width, height };
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
