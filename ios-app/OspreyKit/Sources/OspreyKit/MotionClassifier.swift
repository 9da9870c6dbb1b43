import Foundation
internal import OspreyBridge

/// What a model says of a window of motion.
public struct MotionPrediction: Sendable, Equatable {
    /// Time of the window's last sample.
    public var time: TimeInterval
    /// The steady answer; nil while no class is likely enough.
    public var classID: Int?
    /// Probability of each class in this window, and smoothed over the windows so far.
    public var probabilities, smoothed: [Float]
}

/// Running or walking, gestures: samples in, a prediction at each window's end.
///
/// Samples come in Core Motion's units (g, rad/s) at any rate. Any thread may call; samples in order.
public final class MotionClassifier: Sendable {
    private let motion: Motion
    /// What a sample holds, in order: `acceleration_x`, …
    public let channels: [String]
    public let labels: [String]
    /// Samples per second that the model was trained at.
    public let rate: Double
    /// Samples per second to ask the sensors for: more than `rate` if the model wants averages.
    public let sensorRate: Double
    /// Held from a sample to the reading of its prediction, which another sample would replace.
    private let lock = NSLock()

    /// `smoothing`: seconds after which a change has come through to 63 %; 0 for none.
    public init(model: Model, smoothing: TimeInterval = 0.5) throws(OspreyError) {
        motion = try crossing { try OspreyBridge.motion(model.source, false, smoothing) }
        (channels, labels) = (lines(motion.channels()), lines(motion.labels()))
        (rate, sensorRate) = (motion.rate(), motion.sensor_rate())
    }

    /// Takes a sample; the prediction of the window that it completes, where it does.
    public func push(time: TimeInterval, sample: [Float]) throws(OspreyError) -> MotionPrediction? {
        lock.lock()
        defer { lock.unlock() }
        let isComplete = try crossing {
            try sample.withUnsafeBufferPointer {
                try motion.push(time, UInt(bitPattern: $0.baseAddress), UInt($0.count))
            }
        }
        guard isComplete else { return nil }
        let probabilities = { (smoothed: Bool) in
            [Float](count: self.labels.count, filling: 0) {
                _ = self.motion.copy_probabilities(smoothed, $0, UInt(self.labels.count))
            }
        }
        let classID = Int(motion.class_id())
        return MotionPrediction(
            time: motion.time(), classID: classID < 0 ? nil : classID,
            probabilities: probabilities(false), smoothed: probabilities(true))
    }

    /// Samples taken, left out (late, doubled, not finite), and how often the stream began anew.
    public var counts: (taken: UInt64, leftOut: UInt64, restarts: UInt64) {
        let counts = motion.counts()
        return (counts.taken, counts.left_out, counts.restarts)
    }

    /// Starts anew with the next sample.
    public func reset() { motion.reset() }
}
