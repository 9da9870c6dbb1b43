// From whatever shows a picture to bytes and the sixteen numbers that describe them (see src/frame.rs).
import { OspreyError } from "./error.js";

/**
 * @typedef {object} RawPicture pixels in memory, for Node and for tests
 * @property {Uint8Array | Uint8ClampedArray} data rows without padding
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {"rgba" | "bgra" | "rgb" | "gray" | "i420" | "nv12"} [format] by default told by the length
 * @property {"bt601" | "bt709"} [matrix] of i420 and nv12; BT.601 by default
 * @property {"full" | "video"} [range] of i420 and nv12; video range by default
 */

/**
 * @typedef {HTMLVideoElement | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | VideoFrame
 *   | ImageData | RawPicture} Source
 */

/**
 * @typedef {object} View how a picture is looked at
 * @property {number} [orientation] how it is turned upright, as EXIF's 1 to 8; 1 by default
 * @property {boolean} [mirror] flip it left to right, as a selfie's preview is
 */

/** @typedef {{layout: number[], data: Uint8Array | Uint8ClampedArray}} Pixels */

const FORMATS = { rgba: 0, bgra: 1, rgb: 2, gray: 3, i420: 4, nv12: 5 };
const CHANNELS = /** @type {const} */ ({ 1: "gray", 3: "rgb", 4: "rgba" });
/** Formats of VideoFrame that are read without a canvas. */
const VIDEO_FORMATS = { I420: 4, NV12: 5, RGBA: 0, RGBX: 0, BGRA: 1, BGRX: 1 };
/** EXIF's number for a turn clockwise, in degrees. */
const TURNS = /** @type {Record<number, number>} */ ({ 0: 1, 90: 6, 180: 3, 270: 8 });

/** @param {unknown} source @param {string} name @returns {boolean} */
const is = (source, name) => {
  const type = /** @type {any} */ (globalThis)[name];
  return typeof type === "function" && source instanceof type;
};

/**
 * What can go to a worker: frames, bitmaps and raw pixels as they are, elements as a frame or bitmap of
 * what they show now.
 * @param {Source} source
 * @returns {Promise<{picture: VideoFrame | ImageBitmap | RawPicture, own: boolean}>} `own` where it is to be closed
 */
async function portable(source) {
  if (is(source, "HTMLVideoElement")) {
    const video = /** @type {HTMLVideoElement} */ (source);
    if (video.readyState < 2) throw new OspreyError("picture", "the video has no picture yet");
    if (typeof VideoFrame === "function") {
      try {
        return { picture: new VideoFrame(video), own: true };
      } catch {
        // Some browsers make no frame of some sources; a bitmap does.
      }
    }
    return { picture: await createImageBitmap(video), own: true };
  }
  if (is(source, "HTMLImageElement") || is(source, "HTMLCanvasElement") || is(source, "OffscreenCanvas")) {
    // Neither premultiplied nor converted: the bytes of the file.
    const options = /** @type {ImageBitmapOptions} */ ({ premultiplyAlpha: "none", colorSpaceConversion: "none" });
    return { picture: await createImageBitmap(/** @type {HTMLImageElement} */ (source), options), own: true };
  }
  return { picture: /** @type {any} */ (source), own: false };
}

/**
 * Lends `work` what `source` shows, and closes what was made for that.
 * @template T
 * @param {Source} source
 * @param {boolean} away whether it goes to a worker
 * @param {(picture: any) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function lent(source, away, work) {
  const { picture, own } = await portable(source);
  // What moves to a worker is gone here: a caller's frame goes as a copy.
  const moves = away && !own && typeof (/** @type {any} */ (picture).close) === "function";
  const given = moves ? await copied(/** @type {any} */ (picture)) : picture;
  try {
    return await work(given);
  } finally {
    if (own || moves) /** @type {any} */ (given).close();
  }
}

/** @param {VideoFrame | ImageBitmap} picture */
function copied(picture) {
  return "clone" in picture ? picture.clone() : createImageBitmap(picture);
}

/**
 * @param {VideoFrame | ImageBitmap | RawPicture} picture
 * @param {View} view
 * @param {(length: number) => Uint8Array<ArrayBuffer>} room where bytes go
 * @returns {Promise<{layout: number[], length: number}>}
 */
export async function write(picture, view, room) {
  const turned = [view.orientation ?? 1, view.mirror ? 1 : 0];
  if (is(picture, "VideoFrame")) {
    const frame = /** @type {VideoFrame} */ (picture);
    const format = /** @type {Record<string, number>} */ (VIDEO_FORMATS)[frame.format ?? ""];
    if (format !== undefined) return writeFrame(frame, format, turned, room);
  }
  if (is(picture, "VideoFrame") || is(picture, "ImageBitmap")) {
    const { width, height, data } = drawn(/** @type {ImageBitmap} */ (picture));
    room(data.length).set(data);
    return { layout: [0, width, height, ...turned, 0, 0, 0, width * 4], length: data.length };
  }
  const { layout, data } = raw(/** @type {RawPicture} */ (picture), turned);
  room(data.length).set(data);
  return { layout, length: data.length };
}

/**
 * @param {VideoFrame} frame
 * @param {number} format
 * @param {number[]} turned
 * @param {(length: number) => Uint8Array<ArrayBuffer>} room
 */
async function writeFrame(frame, format, turned, room) {
  const length = frame.allocationSize();
  const planes = await frame.copyTo(room(length));
  const { width, height } = /** @type {DOMRectReadOnly} */ (frame.visibleRect);
  const { matrix, fullRange } = frame.colorSpace;
  const rotation = TURNS[/** @type {any} */ (frame).rotation ?? 0] ?? 1;
  const upright = [turned[0] === 1 ? rotation : turned[0], turned[1]];
  const color = [matrix === "bt709" ? 1 : 0, fullRange ? 0 : 1];
  const places = planes.flatMap(({ offset, stride }) => [offset, stride]);
  return { layout: [format, width, height, ...upright, ...color, ...places], length };
}

/** @type {OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null} */
let context = null;

/** @param {ImageBitmap | VideoFrame} picture */
function drawn(picture) {
  const width = "displayWidth" in picture ? picture.displayWidth : picture.width;
  const height = "displayHeight" in picture ? picture.displayHeight : picture.height;
  if (context?.canvas.width !== width || context.canvas.height !== height) {
    const canvas =
      typeof OffscreenCanvas === "function"
        ? new OffscreenCanvas(width, height)
        : Object.assign(document.createElement("canvas"), { width, height });
    context = /** @type {any} */ (canvas.getContext("2d", { willReadFrequently: true }));
  }
  if (!context) throw new OspreyError("picture", "this browser gives no canvas to read pixels from");
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** @param {RawPicture} picture @param {number[]} turned @returns {Pixels} */
function raw(picture, turned) {
  const { data, width, height } = picture ?? {};
  if (!ArrayBuffer.isView(data) || !Number.isInteger(width) || !Number.isInteger(height)) {
    throw new OspreyError("picture", "a picture is an element, a bitmap, a frame, or { data, width, height }");
  }
  const channels = data.length / (width * height);
  const format = picture.format ?? /** @type {Record<number, keyof typeof FORMATS>} */ (CHANNELS)[channels];
  if (!(format in FORMATS)) {
    throw new OspreyError("picture", `${data.length} bytes are no ${width} × ${height} pixels of 1, 3 or 4 bytes`);
  }
  const half = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const [chroma, luma] = [half[0] * half[1], width * height];
  const planes = {
    i420: [0, width, luma, half[0], luma + chroma, half[0]],
    nv12: [0, width, luma, 2 * half[0]],
  };
  const color = [picture.matrix === "bt709" ? 1 : 0, picture.range === "full" ? 0 : 1];
  const bytes = { rgba: 4, bgra: 4, rgb: 3, gray: 1 };
  const places =
    format === "i420" || format === "nv12" ? planes[format] : [0, width * /** @type {any} */ (bytes)[format]];
  return { layout: [FORMATS[format], width, height, ...turned, ...color, ...places], data };
}
