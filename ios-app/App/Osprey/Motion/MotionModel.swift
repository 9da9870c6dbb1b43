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
    /// What the prediction says; `nil` while no class is likely enough.
    private(set) var label: String?
    /// On the samples' clock.
    private(set) var spans: [MotionSpan] = []
    private(set) var problem: String?

    var answer: String {
        prediction == nil ? String(localized: "Waiting for motion") : label ?? String(localized: "Not sure")
    }

    /// Classifies what the sensors measure until the task is cancelled.
    func run(_ name: String) async {
        (prediction, label, spans, problem) = (nil, nil, [], nil)
        await ScreenLock.held {
            do {
                let classifier = try await Task.detached { try MotionClassifier(model: Model(named: name)) }.value
                guard !Task.isCancelled else { return }
                labels = classifier.labels
                let samples = try MotionSensor.samples(of: classifier.channels, rate: classifier.sensorRate)
                for await prediction in Self.predictions(of: samples, by: classifier) {
                    // The stream hands over what it held when it was cancelled: that is of the former model.
                    guard !Task.isCancelled else { return }
                    show(try prediction.get(), labels: classifier.labels)
                }
            } catch {
                problem = error.localizedDescription
            }
        }
    }

    /// Predictions, made away from the main actor.
    private static func predictions(
        of samples: AsyncStream<MotionSensor.Sample>, by classifier: MotionClassifier
    ) -> AsyncStream<Result<MotionPrediction, OspreyError>> {
        AsyncStream(bufferingPolicy: .bufferingNewest(8)) { continuation in
            let task = Task.detached {
                for await sample in samples {
                    do throws(OspreyError) {
                        if let prediction = try push(sample, to: classifier) { continuation.yield(.success(prediction)) }
                    } catch {
                        continuation.yield(.failure(error))
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// A sample that cannot be used is left out, as the counts say; the stream goes on.
    private nonisolated static func push(
        _ sample: MotionSensor.Sample, to classifier: MotionClassifier
    ) throws(OspreyError) -> MotionPrediction? {
        do {
            return try classifier.push(time: sample.time, sample: sample.values)
        } catch {
            guard case .motion = error else { throw error }
            return nil
        }
    }

    private func show(_ prediction: MotionPrediction, labels: [String]) {
        self.prediction = prediction
        label = prediction.classID.flatMap { labels.indices.contains($0) ? labels[$0] : nil }
        let name = label ?? Self.unsure
        if let last = spans.indices.last, spans[last].label == name {
            spans[last].end = prediction.time
        } else {
            spans.append(MotionSpan(start: spans.last?.end ?? prediction.time - 1, end: prediction.time, label: name))
        }
        spans.removeAll { $0.end < prediction.time - Self.shownSeconds }
    }

    static let unsure = "–"
    static let shownSeconds: TimeInterval = 60

    /// The spans in seconds before the latest prediction: 0 is now, the past is negative.
    var recent: [MotionSpan] {
        guard let now = prediction?.time else { return [] }
        return spans.map {
            MotionSpan(start: max($0.start - now, -Self.shownSeconds), end: $0.end - now, label: $0.label)
        }
    }

    /// Rows of the timeline: all of the model's answers, so that rows stay where they are.
    var rows: [String] { labels + [Self.unsure] }
}

/// Core Motion at a model's rate.
enum MotionSensor {
    // One for the app, as Apple asks; it is used from one task at a time.
    nonisolated(unsafe) private static let manager = CMMotionManager()

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
            continuation.onTermination = { _ in Self.manager.stopDeviceMotionUpdates() }
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
