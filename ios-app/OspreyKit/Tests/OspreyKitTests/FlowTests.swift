import XCTest

@testable import OspreyKit

/// Long runs and races. `swift test --sanitize=thread --filter RaceTests` watches the second class.
final class SoakTests: XCTestCase {
    func testTenThousandCyclesTakeNoMoreMemory() throws {
        let detector = try PollingDetector(model: Model(for: .detection))
        let picture = Picture.gray()
        var early = 0
        for cycle in 0..<10_000 {
            _ = try picture.lend(timestamp: Int64(cycle) * 1_000_000) { try detector.submit($0) }
            let result = try XCTUnwrap(try detector.next(timeout: .seconds(60)), "cycle \(cycle)")
            XCTAssertEqual(result.sequence, UInt64(cycle))
            if cycle == 1_000 { early = residentBytes() ?? 0 }
        }
        XCTAssertTrue(detector.ledger.balances)
        XCTAssertEqual(detector.ledger.shown, 10_000)
        guard let late = residentBytes() else { return print("skipped: no /proc tells the memory here") }
        print("memory after 1,000 cycles \(early / 1024) KiB, after 10,000 cycles \(late / 1024) KiB")
        XCTAssertLessThan(late - early, 1 << 20, "less than a tenth of a kilobyte a cycle")
    }
}

final class RaceTests: XCTestCase {
    func testSubmitTuneReloadPauseAndShutDownAtOnce() async throws {
        let detector = try detector()
        let model = try Model(for: .detection)
        let heard = Task {
            var count = 0
            for await result in detector.results {
                _ = try? result.get()
                count += 1
            }
            return count
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<2 {
                group.addTask {
                    for frame in 0..<150 {
                        _ = try Picture.gray(UInt8(frame)).lend(timestamp: Int64(frame) * 1_000_000) {
                            try detector.submit($0)
                        }
                        if lane == 0 { _ = detector.objects(at: Int64(frame) * 1_000_000 + 5) }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                for round in 0..<6 {
                    try detector.replace(model: model, options: DetectorOptions())
                    var options = DetectorOptions()
                    options.scoreThreshold = Float(round) / 10
                    try detector.tune(options)
                    detector.setInterval(round % 3 + 1)
                }
            }
            group.addTask {
                for _ in 0..<20 {
                    detector.pause()
                    _ = (detector.ledger, detector.summary, detector.framesPerSecond, detector.recentInference)
                    _ = Stage.allCases.map { detector.latency(of: $0) }
                    detector.resume()
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        XCTAssertTrue(detector.ledger.balances)
        detector.shutdown()
        XCTAssertEqual(detector.state, .ended)
        XCTAssertTrue(detector.ledger.balances)
        XCTAssertEqual(detector.ledger.pending, 0)
        _ = await heard.value
        let late = try Picture.gray().lend(timestamp: 1_000_000_000_000) { try detector.submit($0) }
        XCTAssertEqual(late, .dropped(.shutdown))
    }

    func testDetectorsComeAndGo() async throws {
        for round in 0..<5 {
            let detector = try detector { $0.warmsUp = false }
            for frame in 0..<3 {
                _ = try Picture.gray().lend(timestamp: Int64(frame)) { try detector.submit($0) }
            }
            if round % 2 == 0 { _ = try await next(of: detector) }
        }
    }

    func testTrainingsAreCancelledWhileTheyRun() async throws {
        let trainer = try taughtTrainer(in: temporaryFolder())
        for round in 0..<4 {
            var settings = TrainingSettings()
            settings.epochs = 10_000
            let control = TrainingHandle()
            var epochs = 0
            var ending: TrainingEnding?
            for try await event in trainer.train(settings, control: control) {
                if case .epoch = event { epochs += 1 }
                if case .ended(let how) = event { ending = how }
                control.setLearningRate(1e-4)
                if epochs > round { control.cancel() }
            }
            XCTAssertEqual(ending, .cancelled)
            XCTAssertTrue(trainer.isTrained)
            _ = try Picture.stripes(along: true, number: 5).lend { try trainer.classify($0, by: .trained) }
        }
        // A stream that is let go cancels, and the trainer is free again.
        var settings = TrainingSettings()
        settings.epochs = 10_000
        for try await _ in trainer.train(settings) { break }
        var isFree = false
        for _ in 0..<200 where !isFree {
            isFree = (try? trainer.reset()) != nil
            if !isFree { try await Task.sleep(for: .milliseconds(50)) }
        }
        XCTAssertTrue(isFree)
        XCTAssertEqual(trainer.classes, [])
    }
}
