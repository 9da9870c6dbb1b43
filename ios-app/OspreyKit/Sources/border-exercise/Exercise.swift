// Crosses the whole border a few times, for valgrind: every type is made, used, refused and freed.

import Foundation
import OspreyKit

struct Missing: Error { var what: String }

func expect(_ condition: Bool, _ what: String) throws {
    if !condition { throw Missing(what: what) }
}

func lend<T>(_ level: UInt8, time: Int64, _ body: (PixelFrame) throws -> T) rethrows -> T {
    let pixels = (0..<(96 * 64 * 4)).map { UInt8(truncatingIfNeeded: $0 / 24) &+ level }
    return try pixels.withUnsafeBytes {
        try body(
            PixelFrame(
                .bgra(PixelPlane(bytes: $0, bytesPerRow: 96 * 4)), width: 96, height: 64, orientation: .right,
                timestamp: time))
    }
}

func refused(_ what: String, _ work: () throws -> Void) throws {
    do { try work() } catch let error as OspreyError { return print("refused: \(error.message)") }
    throw Missing(what: "\(what) was not refused")
}

func live(in folder: URL) async throws {
    var options = DetectorOptions()
    options.scoreThreshold = 0.01
    let detector = try LiveDetector(model: Model(for: .detection), options: options)
    var results = detector.results.makeAsyncIterator()
    for frame in 0..<3 {
        _ = try lend(UInt8(frame), time: Int64(frame) * 33_000_000) { try detector.submit($0) }
        let result = try await results.next()?.get()
        try expect(result?.detections.isEmpty == false, "detections at a threshold of 0.01")
        _ = detector.objects(at: Int64(frame) * 33_000_000 + 1)
    }
    options.classes = .except(["cat", "dog"])
    options.classThresholds = ["person": 0.5]
    try detector.tune(options)
    try detector.replace(model: Model(for: .detection), options: options)
    try refused("a class that is not there") {
        options.classes = .only(["perzon"])
        try detector.tune(options)
    }
    try refused("a frame that is too short") {
        try lend(0, time: 0) {
            var frame = $0
            frame.height = 65
            _ = try detector.submit(frame)
        }
    }
    try detector.startRecording(to: folder.appendingPathComponent("a.recording"))
    _ = try lend(7, time: 500_000_000) { try detector.submit($0) }
    _ = try await results.next()?.get()
    try detector.stopRecording()
    detector.pause()
    detector.resume()
    detector.setInterval(2)
    _ = (detector.summary, detector.framesPerSecond, detector.recentInference, detector.state, detector.labels)
    _ = Stage.allCases.map { detector.latency(of: $0) }
    try expect(detector.ledger.balances, "a ledger that balances")
    detector.shutdown()
    // One that is let go with a frame on its way.
    let brief = try PollingDetector(model: Model(for: .detection))
    _ = try lend(9, time: 9) { try brief.submit($0) }
}

func others(in folder: URL) async throws {
    try refused("a model that is not there") { _ = try Model(named: "no such") }
    try refused("a file that is not there") { _ = try Model(file: folder.appendingPathComponent("none")) }
    _ = (Model.builtInNames, Library.version, Library.instructionSet)
    let motion = try MotionClassifier(model: Model(named: "run-or-walk"))
    var windows = 0
    for i in 0..<30 { windows += try motion.push(time: Double(i) / 5, sample: [Float(i % 3)]) == nil ? 0 : 1 }
    try expect(windows > 0, "a window of motion")
    try refused("a sample of nothing") { _ = try motion.push(time: 99, sample: []) }
    motion.reset()
    let digits = try DigitClassifier(model: Model(for: .digits))
    _ = try digits.read(strokes: [[CGPoint(x: 0, y: 0), CGPoint(x: 0, y: 9)], [CGPoint(x: 1, y: 1)]])
    _ = try digits.read(gray: (0..<900).map { $0 % 30 == 15 ? 0 : 255 }, width: 30, height: 30)
    try refused("an empty drawing") { _ = try digits.read(strokes: []) }
    _ = PaceController(cameraFramesPerSecond: 30).decide(DeviceReading(time: 0, thermal: .serious, inference: 0.01))
    let bench = BenchmarkConfiguration(name: "exercise", threads: 2, frameWidth: 64, frameHeight: 48, seconds: 0.001)
    let cool = BenchmarkConditions(DeviceReading(time: 0, thermal: .nominal, inference: 0))
    let benchmark = DeviceBenchmark(model: try Model(for: .detection))
    for try await event in benchmark.run([bench], roundFrames: 1, conditions: { cool }) {
        if case .round(let round) = event { try expect(round.totalP50 > 0, "a time") }
    }
}

func teach(in folder: URL) async throws {
    let trainer = try Trainer(model: Model(for: .detection), folder: folder.appendingPathComponent("own"))
    for name in ["a", "b"] { try trainer.addClass(name) }
    try refused("a class twice") { try trainer.addClass("a") }
    for number in 0..<4 { try lend(UInt8(40 * number), time: 0) { try trainer.add($0, to: number % 2) } }
    try refused("a class that is not there") { try lend(0, time: 0) { try trainer.add($0, to: 7) } }
    _ = try lend(20, time: 0) { try trainer.classify($0, by: .nearestNeighbors) }
    var settings = TrainingSettings()
    (settings.epochs, settings.validation) = (2, 0.5)
    for try await _ in trainer.train(settings) {}
    _ = try lend(20, time: 0) { try trainer.classify($0, by: .trained) }
    _ = try await trainer.evaluate(folds: 2)
    try trainer.export(to: folder.appendingPathComponent("own.tflite"))
    try trainer.removeClass(0)
    try trainer.reset()
}

@main
struct Exercise {
    // A main that waits, rather than an asynchronous one: that ends in `sigsuspend`, in which valgrind
    // 3.24 crashes.
    static func main() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                try await live(in: folder)
                try await others(in: folder)
                try await teach(in: folder)
            } catch {
                print("\(error)")
                exit(1)
            }
            done.signal()
        }
        done.wait()
        try FileManager.default.removeItem(at: folder)
        print("the whole border was crossed")
    }
}
