@preconcurrency import CoreMotion
import Foundation
import Observation
import OspreyKit

/// A span of one answer on the timeline.
struct MotionSpan: Identifiable, Sendable {
    var start, end: TimeInterval
    var label: String
    var id: TimeInterval { start }
}

@MainActor @Observable
final class MotionModel {
    /// What can be classified: the built-in models of motion.
    static let names = ["run-or-walk", "activity", "gestures"].filter(Model.builtInNames.contains)

    private(set) var labels: [String] = []
    private(set) var prediction: MotionPrediction?
    private(set) var spans: [MotionSpan] = []
    private(set) var problem: String?

    var answer: String {
        guard let prediction else { return "Waiting for motion" }
        return prediction.classID.map { labels[$0] } ?? "Not sure"
    }

    /// Classifies what the sensors measure until the task is cancelled.
    func run(_ name: String) async {
        (prediction, spans, problem) = (nil, [], nil)
        do {
            let classifier = try MotionClassifier(model: Model(named: name))
            labels = classifier.labels
            for await sample in try MotionSensor.samples(of: classifier.channels, rate: classifier.rate) {
                if let prediction = try Self.push(sample, to: classifier) { show(prediction) }
            }
        } catch {
            problem = error.localizedDescription
        }
    }

    /// A sample that cannot be used is left out, as the counts say; the stream goes on.
    private static func push(
        _ sample: MotionSensor.Sample, to classifier: MotionClassifier
    ) throws(OspreyError) -> MotionPrediction? {
        do {
            return try classifier.push(time: sample.time, sample: sample.values)
        } catch {
            guard case .motion = error else { throw error }
            return nil
        }
    }

    private func show(_ prediction: MotionPrediction) {
        self.prediction = prediction
        let label = answer
        if let last = spans.indices.last, spans[last].label == label {
            spans[last].end = prediction.time
        } else {
            spans.append(MotionSpan(start: spans.last?.end ?? prediction.time - 1, end: prediction.time, label: label))
        }
        // A minute is shown.
        spans.removeAll { $0.end < prediction.time - 60 }
    }
}

/// Core Motion at a model's rate.
enum MotionSensor {
    struct Sample: Sendable {
        var time: TimeInterval
        var values: [Float]
    }

    enum Failure: Error, LocalizedError {
        case missing, unknown(String)

        var errorDescription: String? {
            switch self {
            case .missing: "This device measures no motion."
            case .unknown(let channel): "Core Motion has no \(channel)."
            }
        }
    }

    /// Samples until the stream is let go.
    static func samples(of channels: [String], rate: Double) throws -> AsyncStream<Sample> {
        let manager = CMMotionManager()
        guard manager.isDeviceMotionAvailable else { throw Failure.missing }
        let readers = try channels.map { name in
            guard let read = Self.readers[name] else { throw Failure.unknown(name) }
            return read
        }
        return AsyncStream(bufferingPolicy: .bufferingNewest(256)) { continuation in
            manager.deviceMotionUpdateInterval = 1 / rate
            let queue = OperationQueue()
            queue.maxConcurrentOperationCount = 1
            manager.startDeviceMotionUpdates(to: queue) { motion, _ in
                guard let motion else { return }
                continuation.yield(Sample(time: motion.timestamp, values: readers.map { Float($0(motion)) }))
            }
            continuation.onTermination = { _ in manager.stopDeviceMotionUpdates() }
        }
    }

    private typealias Reader = @Sendable (CMDeviceMotion) -> Double

    /// Core Motion splits acceleration into gravity and the rest; the models' channels name all three.
    private static let readers: [String: Reader] = [
        "acceleration_x": { $0.gravity.x + $0.userAcceleration.x },
        "acceleration_y": { $0.gravity.y + $0.userAcceleration.y },
        "acceleration_z": { $0.gravity.z + $0.userAcceleration.z },
        "user_acceleration_x": { $0.userAcceleration.x },
        "user_acceleration_y": { $0.userAcceleration.y },
        "user_acceleration_z": { $0.userAcceleration.z },
        "gravity_x": { $0.gravity.x }, "gravity_y": { $0.gravity.y }, "gravity_z": { $0.gravity.z },
        "rotation_x": { $0.rotationRate.x }, "rotation_y": { $0.rotationRate.y },
        "rotation_z": { $0.rotationRate.z },
        "roll": { $0.attitude.roll }, "pitch": { $0.attitude.pitch }, "yaw": { $0.attitude.yaw },
    ]
}
