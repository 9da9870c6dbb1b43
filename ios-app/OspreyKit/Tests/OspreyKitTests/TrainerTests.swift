import XCTest

@testable import OspreyKit

/// Two classes of four pictures each.
func taughtTrainer(in folder: URL) throws -> Trainer {
    let trainer = try Trainer(model: Model(for: .detection), folder: folder)
    for name in ["across", "along"] { try trainer.addClass(name) }
    for number in 0..<4 {
        for classID in 0..<2 {
            try Picture.stripes(along: classID == 1, number: number).lend { try trainer.add($0, to: classID) }
        }
    }
    return trainer
}

final class TrainerTests: XCTestCase {
    func testClassesAreLearnedTrainedEvaluatedAndExported() async throws {
        let folder = try temporaryFolder()
        let trainer = try taughtTrainer(in: folder)
        XCTAssertEqual(trainer.classes, ["across", "along"])
        XCTAssertEqual([0, 1, 2].map(trainer.pictures), [4, 4, 0])
        let unseen = Picture.stripes(along: true, number: 5)
        let near = try unseen.lend { try trainer.classify($0, by: .nearestNeighbors) }
        XCTAssertEqual(near.classID, 1)
        XCTAssertThrowsError(try unseen.lend { try trainer.classify($0, by: .trained) })

        var settings = TrainingSettings()
        settings.epochs = 6
        settings.validation = 0.25
        var epochs = [EpochSummary](), batches = 0, ending: TrainingEnding?
        for try await event in trainer.train(settings) {
            switch event {
            case .batch(_, let batch, let of, let loss):
                batches += 1
                XCTAssertTrue((1...of).contains(batch) && loss.isFinite)
            case .epoch(let summary): epochs.append(summary)
            case .ended(let how): ending = how
            }
        }
        XCTAssertEqual(ending, .finished)
        XCTAssertEqual(epochs.map(\.epoch), [1, 2, 3, 4, 5, 6])
        XCTAssertGreaterThanOrEqual(batches, 6)
        XCTAssertNotNil(epochs.last?.validationAccuracy)
        let trained = try unseen.lend { try trainer.classify($0, by: .trained) }
        XCTAssertEqual(trained.classID, 1)
        XCTAssertEqual(trained.probabilities.reduce(0, +), 1, accuracy: 1e-3)

        let evaluation = try await trainer.evaluate(folds: 2)
        XCTAssertEqual(evaluation.pictures, 8)
        XCTAssertEqual(evaluation.confusion.joined().reduce(0, +), 8)
        XCTAssertGreaterThan(evaluation.accuracy, 0.7)

        let file = folder.appendingPathComponent("own.tflite")
        try trainer.export(to: file)
        XCTAssertEqual(try Model(file: file).labels, ["across", "along"])
    }

    func testWhatIsRefused() throws {
        let folder = try temporaryFolder()
        let trainer = try taughtTrainer(in: folder)
        try trainer.save()
        XCTAssertThrowsError(try trainer.addClass("along")) {
            guard case OspreyError.learning = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertThrowsError(try trainer.removeClass(9))
        XCTAssertThrowsError(try Picture.gray().lend { try trainer.add($0, to: 2) })
        XCTAssertThrowsError(try trainer.export(to: folder.appendingPathComponent("x.tflite")))
        XCTAssertThrowsError(try Trainer(model: Model(for: .detection), folder: folder)) {
            guard case OspreyError.storage = $0 else { return XCTFail("\($0)") }
        }
        try trainer.removeClass(0)
        XCTAssertEqual(trainer.classes, ["along"])
        try trainer.reset()
        XCTAssertEqual(trainer.classes, [])
    }
}
