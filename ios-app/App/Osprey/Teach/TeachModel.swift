import CoreVideo
import Foundation
import Observation
import OspreyKit

/// The user's own classes.
@MainActor @Observable
final class TeachModel {
    struct Class: Identifiable, Sendable {
        var id: Int
        var name: String
        var pictures: Int
    }

    private(set) var classes: [Class] = []
    private(set) var answer: PictureClass?
    private(set) var isTrained = false
    private(set) var epochs: [EpochSummary] = []
    private(set) var loss: Double?
    private(set) var isTraining = false
    private(set) var evaluation: ClassEvaluation?
    private(set) var exported: URL?
    private(set) var problem: String?
    var epochCount = 30.0
    /// As a power of ten, for the slider.
    var learningRateExponent = -3.0 {
        didSet { control?.setLearningRate(learningRate) }
    }

    var learningRate: Float { Float(pow(10, learningRateExponent)) }

    @ObservationIgnored let sink = TeachSink()
    @ObservationIgnored private var trainer: Trainer?
    @ObservationIgnored private var control: TrainingHandle?

    /// Opens what was taught before, and says what the camera sees until the task is cancelled.
    func run() async {
        await attempt {
            if self.trainer == nil {
                let folder = URL.applicationSupportDirectory.appending(path: "classes")
                self.trainer = try await Task.detached {
                    try Trainer(model: Model(for: .detection), folder: folder)
                }.value
            }
        }
        refresh()
        sink.use(trainer)
        for await answer in sink.answers() { self.answer = answer }
        sink.use(nil)
        save()
    }

    func addClass(_ name: String) {
        change { try $0.addClass(name) }
    }

    func removeClass(_ id: Int) {
        change { try $0.removeClass(id) }
    }

    /// Learns the next frame.
    func addPicture(to id: Int) {
        sink.learn(id) { [weak self] error in
            Task { @MainActor in
                self?.problem = error?.message
                self?.refresh()
            }
        }
    }

    func train() async {
        guard let trainer, !isTraining else { return }
        let control = TrainingHandle()
        (self.control, isTraining, epochs, loss, evaluation) = (control, true, [], nil, nil)
        var settings = TrainingSettings()
        settings.epochs = Int(epochCount)
        settings.learningRate = learningRate
        await attempt {
            for try await event in trainer.train(settings, control: control) {
                switch event {
                case .batch(_, _, _, let loss): self.loss = loss
                case .epoch(let summary): self.epochs.append(summary)
                case .ended: break
                }
            }
        }
        (self.control, isTraining) = (nil, false)
        refresh()
    }

    func cancel() { control?.cancel() }

    func evaluate() async {
        guard let trainer else { return }
        await attempt { self.evaluation = try await trainer.evaluate(folds: 3) }
    }

    func export() {
        let file = URL.temporaryDirectory.appending(path: "my-classes.tflite")
        change {
            try $0.export(to: file)
            self.exported = file
        }
    }

    func reset() {
        (epochs, evaluation, exported) = ([], nil, nil)
        change { try $0.reset() }
    }

    func save() {
        change { try $0.save() }
    }

    private func change(_ work: (Trainer) throws -> Void) {
        guard let trainer else { return }
        do {
            try work(trainer)
            problem = nil
        } catch {
            problem = error.localizedDescription
        }
        refresh()
    }

    private func attempt(_ work: () async throws -> Void) async {
        do {
            try await work()
            problem = nil
        } catch {
            problem = error.localizedDescription
        }
    }

    private func refresh() {
        guard let trainer else { return }
        classes = trainer.classes.enumerated().map { index, name in
            Class(id: index, name: name, pictures: trainer.pictures(of: index))
        }
        isTrained = trainer.isTrained
        sink.answers(trained: isTrained)
    }
}

/// Learns and classifies frames on the capture queue: the camera drops what comes meanwhile.
final class TeachSink: FrameSink, @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var trainer: Trainer?
    private var isTrained = false
    private var lesson: (Int, @Sendable (OspreyError?) -> Void)?
    private var continuation: AsyncStream<PictureClass?>.Continuation?

    func use(_ trainer: Trainer?) { lock.withLock { self.trainer = trainer } }
    func answers(trained: Bool) { lock.withLock { isTrained = trained } }

    func learn(_ classID: Int, _ done: @escaping @Sendable (OspreyError?) -> Void) {
        lock.withLock { lesson = (classID, done) }
    }

    func answers() -> AsyncStream<PictureClass?> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PictureClass?.self, bufferingPolicy: .bufferingNewest(1))
        lock.withLock { self.continuation = continuation }
        return stream
    }

    func take(_ pixelBuffer: CVPixelBuffer, _ facts: FrameFacts) {
        let (trainer, isTrained, lesson, continuation) = lock.withLock {
            defer { self.lesson = nil }
            return (self.trainer, self.isTrained, self.lesson, self.continuation)
        }
        guard let trainer else { return }
        if let (classID, done) = lesson {
            do {
                try trainer.add(
                    pixelBuffer, orientation: facts.orientation, isMirrored: facts.isMirrored, to: classID)
                done(nil)
            } catch {
                done(error)
            }
        }
        // Before the first picture there is no answer, which is no error.
        let answer = try? trainer.classify(
            pixelBuffer, orientation: facts.orientation, isMirrored: facts.isMirrored,
            by: isTrained ? .trained : .nearestNeighbors)
        continuation?.yield(answer)
    }
}
