export { Detector } from "./detector.js";
export { DigitReader } from "./digits.js";
export { OspreyError } from "./error.js";
export { MotionClassifier } from "./motion.js";
export { DetectorStream } from "./stream.js";
export { Teacher } from "./teach.js";
