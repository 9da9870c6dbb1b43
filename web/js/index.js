export { Detector } from "./detector.js";
export { OspreyError } from "./error.js";
export { DetectorStream } from "./stream.js";
