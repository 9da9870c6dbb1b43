import Dispatch
import Foundation
internal import OspreyBridge

/// How the last layer is trained.
public struct TrainingSettings: Sendable, Equatable {
    public var epochs = 30
    public var batchSize = 16
    public var learningRate: Float = 1e-3
    /// Share of each class's pictures that is held out to validate with.
    public var validation: Float = 0.2
    /// Epochs without a better one after which training ends; nil for never.
    public var patience: Int?
    /// Adds the epochs to those of the last training of the same classes.
    public var resumes = false

    public init() {}
}

/// Progress of a training.
public enum TrainingEvent: Sendable, Equatable {
    /// After each batch: the epoch (from 1), the batch (from 1) of so many, the mean loss so far.
    case batch(epoch: Int, batch: Int, of: Int, loss: Double)
    case epoch(EpochSummary)
    /// The last event.
    case ended(TrainingEnding)
}

/// What an epoch came to. It is on disk already.
public struct EpochSummary: Sendable, Equatable, Identifiable {
    public var epoch: Int
    public var learningRate: Float
    public var trainingLoss, trainingAccuracy: Double
    /// Nil where no pictures were held out.
    public var validationLoss, validationAccuracy: Double?
    /// Whether it is the best so far.
    public var isBest: Bool
    public var id: Int { epoch }
}

public enum TrainingEnding: UInt8, Sendable {
    case finished = 0, cancelled, noProgress
}

/// Which class a picture belongs to.
public struct PictureClass: Sendable, Equatable {
    /// Nil for none of these.
    public var classID: Int?
    public var probabilities: [Float]
}

/// How well the classes are told apart on pictures that were not learned.
public struct ClassEvaluation: Sendable, Equatable {
    public var accuracy: Double
    public var pictures: Int
    /// `confusion[truth][answer]`; the last answer is "none of these".
    public var confusion: [[Int]]
}

/// The user's own classes: nearest neighbours at once, a trained last layer when asked.
///
/// Kept in a folder, which one trainer at a time has open. Any thread may call.
public final class Trainer: Sendable {
    private let teacher: Teacher

    /// Opens the classes in `folder`; features come from the pictures' model `model`.
    public init(model: Model, folder: URL) throws(OspreyError) {
        let path = folder.path
        teacher = try crossing { try OspreyBridge.teacher(model.source, path) }
    }

    public var classes: [String] { lines(teacher.classes()) }
    /// Pictures of a class.
    public func pictures(of classID: Int) -> Int { Int(teacher.pictures(UInt32(clamping: classID))) }
    /// Whether a last layer was trained for the classes as they are.
    public var isTrained: Bool { teacher.is_trained() }

    /// Adds a class and gives its number.
    @discardableResult
    public func addClass(_ name: String) throws(OspreyError) -> Int {
        Int(try crossing { try teacher.add_class(name) })
    }

    /// Removes a class with its pictures; later ones move down by one.
    public func removeClass(_ classID: Int) throws(OspreyError) {
        try crossing { try teacher.remove_class(UInt32(clamping: classID)) }
    }

    /// Learns a picture. Takes a few runs of the model: not for the main thread.
    public func add(_ frame: PixelFrame, to classID: Int) throws(OspreyError) {
        let buffer = frame.buffer
        try crossing { try teacher.add_picture(UInt32(clamping: classID), buffer) }
    }

    /// Which head answers.
    public enum Head: Sendable { case nearestNeighbors, trained }

    public func classify(_ frame: PixelFrame, by head: Head) throws(OspreyError) -> PictureClass {
        let buffer = frame.buffer
        var probabilities = [Float](repeating: 0, count: classes.count)
        let answer = try crossing {
            try probabilities.withUnsafeMutableBufferPointer {
                try teacher.classify(head == .trained, buffer, UInt(bitPattern: $0.baseAddress), UInt($0.count))
            }
        }
        return PictureClass(classID: answer < 0 ? nil : answer, probabilities: probabilities)
    }

    /// Keeps all pictures on disk.
    public func save() throws(OspreyError) {
        try crossing { try teacher.save() }
    }

    /// Forgets classes, pictures and trainings, on disk as well.
    public func reset() throws(OspreyError) {
        try crossing { try teacher.reset() }
    }

    /// Writes a `.tflite` file with features and trained layer, labels and input described.
    public func export(to file: URL) throws(OspreyError) {
        let path = file.path
        try crossing { try teacher.export(path) }
    }

    /// Trains on a thread of its own. Letting go of the stream cancels.
    public func train(
        _ settings: TrainingSettings, control: TrainingHandle = TrainingHandle()
    ) -> AsyncThrowingStream<TrainingEvent, any Error> {
        AsyncThrowingStream { continuation in
            continuation.onTermination = { _ in control.cancel() }
            let listener = TrainingListener(
                onBatch: {
                    continuation.yield(
                        .batch(epoch: Int($0.epoch), batch: Int($0.batch), of: Int($0.batches), loss: $0.loss))
                },
                onEpoch: { continuation.yield(.epoch(EpochSummary($0))) })
            DispatchQueue.global(qos: .userInitiated).async { [teacher] in
                do {
                    let ending = try crossing { try teacher.train(settings.plan, control.control, listener) }
                    continuation.yield(.ended(TrainingEnding(rawValue: ending) ?? .finished))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    /// Cross-validates: each picture is asked about once, by a head that learned from the others.
    /// `epochs` 0 asks nearest neighbours. Nothing that was learned changes.
    public func evaluate(
        folds: Int = 5, epochs: Int = 0, control: TrainingHandle = TrainingHandle()
    ) async throws -> ClassEvaluation {
        let names = classes
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global(qos: .userInitiated).async { [teacher] in
                    continuation.resume(
                        with: Result {
                            let evaluation = try crossing {
                                try teacher.evaluate(
                                    UInt32(clamping: folds), UInt32(clamping: epochs), control.control)
                            }
                            let answers = Array(0..<Int64(names.count)) + [-1]
                            return ClassEvaluation(
                                accuracy: evaluation.accuracy(), pictures: Int(evaluation.pictures()),
                                confusion: names.indices.map { truth in
                                    answers.map { Int(evaluation.count(UInt32(truth), $0)) }
                                })
                        })
                }
            }
        } onCancel: {
            control.cancel()
        }
    }
}

/// The hand on a training, from any thread.
public final class TrainingHandle: Sendable {
    let control = training_control()

    public init() {}

    /// Ends the training before its next batch; what its last whole epoch learned is kept.
    public func cancel() { control.cancel() }
    public func pause() { control.pause() }
    public func resume() { control.resume() }
    /// From the next batch on.
    public func setLearningRate(_ rate: Float) { control.set_learning_rate(rate) }
}

extension TrainingSettings {
    var plan: TrainingPlan {
        TrainingPlan(
            epochs: UInt32(clamping: epochs), batch_size: UInt32(clamping: batchSize),
            learning_rate: learningRate, validation: validation, patience: UInt32(clamping: patience ?? 0),
            resume: resumes)
    }
}

extension EpochSummary {
    init(_ figures: EpochFigures) {
        epoch = Int(figures.epoch)
        learningRate = figures.learning_rate
        (trainingLoss, trainingAccuracy) = (figures.training_loss, figures.training_accuracy)
        validationLoss = figures.has_validation ? figures.validation_loss : nil
        validationAccuracy = figures.has_validation ? figures.validation_accuracy : nil
        isBest = figures.best
    }
}
