import Foundation
internal import OspreyBridge

/// A box in fractions of the upright picture: 0 is the left or upper edge, 1 the right or lower.
public struct NormalizedBox: Sendable, Hashable, Codable {
    public var minX, minY, maxX, maxY: Float

    public init(minX: Float, minY: Float, maxX: Float, maxY: Float) {
        (self.minX, self.minY, self.maxX, self.maxY) = (minX, minY, maxX, maxY)
    }

    public var width: Float { maxX - minX }
    public var height: Float { maxY - minY }
}

/// An object in one frame.
public struct Detection: Sendable, Hashable {
    public var box: NormalizedBox
    /// Index into the detector's labels.
    public var classID: Int
    public var label: String
    /// Confidence, 0 to 1.
    public var score: Float

    public init(box: NormalizedBox, classID: Int, label: String, score: Float) {
        (self.box, self.classID, self.label, self.score) = (box, classID, label, score)
    }
}

/// An object that is followed from frame to frame: smoothed, and predicted where it was not detected
/// just now. Its box may reach beyond the picture.
public struct TrackedObject: Sendable, Hashable, Identifiable {
    /// Never given twice in a session.
    public var id: UInt64
    public var detection: Detection
    /// Seconds since it was first detected.
    public var age: Float
    /// Seconds since it was last detected.
    public var unseen: Float

    public init(id: UInt64, detection: Detection, age: Float, unseen: Float) {
        (self.id, self.detection, self.age, self.unseen) = (id, detection, age, unseen)
    }
}

/// How long a frame's stages took, in seconds; nil for those that it did not go through.
public struct StageTimings: Sendable, Hashable {
    public var submit, preprocess, wait, inference, postprocess, tracking: TimeInterval?
    /// From the start of `submit` to the result.
    public var age: TimeInterval?
}

/// What was found in a frame.
public struct DetectionResult: Sendable {
    /// The frame's number among all that were submitted, from 0.
    public var sequence: UInt64
    /// The frame's own time in nanoseconds.
    public var timestamp: Int64
    /// Size of the upright picture in pixels.
    public var pictureWidth, pictureHeight: Int
    /// What the model sees in this frame alone, best first.
    public var detections: [Detection]
    /// The objects to show; empty where tracking is off.
    public var objects: [TrackedObject]
    public var timings: StageTimings
}

extension Findings {
    /// Copies everything at once: nothing of Rust's memory is kept.
    func result(labels: LabelCache) -> Result<DetectionResult, OspreyError> {
        if let failure = failure() {
            return .failure(OspreyError(failure))
        }
        let facts = facts()
        let seconds = { (ns: UInt64) -> TimeInterval? in ns == 0 ? nil : Double(ns) / 1e9 }
        return .success(
            DetectionResult(
                sequence: facts.sequence, timestamp: facts.time_ns,
                pictureWidth: Int(facts.width), pictureHeight: Int(facts.height),
                detections: objects(tracks: false, count: Int(facts.detections), labels).map(\.detection),
                objects: objects(tracks: true, count: Int(facts.tracks), labels),
                timings: StageTimings(
                    submit: seconds(facts.submit_ns), preprocess: seconds(facts.preprocess_ns),
                    wait: seconds(facts.wait_ns), inference: seconds(facts.inference_ns),
                    postprocess: seconds(facts.post_ns), tracking: seconds(facts.track_ns),
                    age: seconds(facts.age_ns))))
    }

    func objects(tracks: Bool, count: Int, _ labels: LabelCache) -> [TrackedObject] {
        guard count > 0 else { return [] }
        var integers = [UInt64](repeating: 0, count: 2 * count)
        let floats = [Float](count: 7 * count, filling: 0) { floats in
            integers.withUnsafeMutableBufferPointer {
                _ = copy_objects(tracks, floats, UInt(bitPattern: $0.baseAddress), UInt(count))
            }
        }
        return (0..<count).map { i in
            let f = floats[(7 * i)..<(7 * i + 7)]
            let at = f.startIndex
            let classID = Int(integers[2 * i + 1])
            return TrackedObject(
                id: integers[2 * i],
                detection: Detection(
                    box: NormalizedBox(minX: f[at], minY: f[at + 1], maxX: f[at + 2], maxY: f[at + 3]),
                    classID: classID, label: labels[classID], score: f[at + 4]),
                age: f[at + 5], unseen: f[at + 6])
        }
    }
}
