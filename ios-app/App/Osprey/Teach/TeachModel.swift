import CoreVideo
import Foundation
import Observation
import OspreyKit
import OspreyUI

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
    private(set) var isEvaluating = false
    private(set) var isExporting = false
    /// The class that learns as long as its button is held.
    private(set) var burst: Int?
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
    @ObservationIgnored private var opening: Task<Trainer, any Error>?
    @ObservationIgnored private var control: TrainingHandle?
    @ObservationIgnored private var runs = 0

    /// Opens what was taught before, and says what the camera sees until the task is cancelled.
    func run(on camera: Camera) async {
        await ScreenLock.held {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await camera.run(self.sink) }
                group.addTask { await self.answer() }
            }
        }
    }

    private func answer() async {
        runs += 1
        let run = runs
        await attempt {
            if self.trainer == nil {
                let folder = URL.applicationSupportDirectory.appending(path: "classes")
                let opening = opening ?? Task.detached { try Trainer(model: Model(for: .detection), folder: folder) }
                self.opening = opening
                defer { self.opening = nil }
                self.trainer = try await opening.value
            }
        }
        refresh()
        sink.use(trainer)
        for await answer in sink.answers() { self.answer = answer }
        // A later run goes on with the trainer.
        if run == runs { sink.use(nil) }
        await save()
    }

    func addClass(_ name: String) {
        change { try $0.addClass(name) }
    }

    func removeClass(_ id: Int) {
        change { try $0.removeClass(id) }
    }

    /// Learns frames for as long as the button is held: one at once, and further ones at a rate that lets the
    /// hand move in between.
    func holdToLearn(_ id: Int) {
        burst = id
        sink.learn(id, every: Self.burstInterval) { [weak self] error in
            Task { @MainActor in
                self?.problem = error?.message
                self?.refresh()
            }
        }
    }

    func release() {
        burst = nil
        sink.endLesson()
    }

    /// Nanoseconds between two pictures of a burst.
    private static let burstInterval: Int64 = 200_000_000

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

    /// Cross-validates; cancelled with the task that calls.
    func evaluate() async {
        guard let trainer, !isEvaluating else { return }
        isEvaluating = true
        await attempt { self.evaluation = try await trainer.evaluate(folds: 3) }
        isEvaluating = false
    }

    func export() async {
        guard let trainer, !isExporting else { return }
        let file = URL.temporaryDirectory.appending(path: "my-classes.tflite")
        isExporting = true
        await attempt {
            try await Task.detached { try trainer.export(to: file) }.value
            self.exported = file
        }
        isExporting = false
    }

    func reset() {
        (epochs, evaluation, exported) = ([], nil, nil)
        change { try $0.reset() }
    }

    func save() async {
        guard let trainer else { return }
        await attempt { try await Task.detached { try trainer.save() }.value }
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
        sink.answer(trained: isTrained)
    }
}
