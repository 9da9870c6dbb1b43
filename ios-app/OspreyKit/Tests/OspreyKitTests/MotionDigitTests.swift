import XCTest

@testable import OspreyKit

final class MotionDigitTests: XCTestCase {
    func testMotionComesInWindows() throws {
        let motion = try MotionClassifier(model: Model(named: "run-or-walk"), smoothing: 0)
        XCTAssertEqual(motion.labels, ["walk", "run"])
        XCTAssertEqual(motion.channels, ["acceleration_x"])
        var predictions = [MotionPrediction]()
        for i in 0..<60 {
            let sample: [Float] = [i % 3 == 0 ? 1.5 : -0.9]
            if let prediction = try motion.push(time: Double(i) / motion.rate, sample: sample) {
                predictions.append(prediction)
            }
        }
        XCTAssertGreaterThanOrEqual(predictions.count, 4)
        for prediction in predictions {
            XCTAssertEqual(prediction.probabilities.reduce(0, +), 1, accuracy: 0.02)
            XCTAssertEqual(prediction.probabilities, prediction.smoothed)
        }
        XCTAssertThrowsError(try motion.push(time: 99, sample: [.nan])) {
            guard case OspreyError.motion = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertThrowsError(try motion.push(time: 99, sample: []))
        XCTAssertEqual(motion.counts.taken, 60)
        XCTAssertEqual(motion.counts.leftOut, 2)
        motion.reset()
    }

    func testDigitsAreRead() throws {
        let digits = try DigitClassifier(model: Model(for: .digits))
        let one = (0..<20).map { CGPoint(x: 50, y: 5 * Double($0)) }
        let reading = try digits.read(strokes: [one])
        XCTAssertEqual(reading.digit, 1)
        XCTAssertEqual(reading.probabilities.count, 10)
        XCTAssertThrowsError(try digits.read(strokes: [])) {
            guard case OspreyError.blank = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertThrowsError(try digits.read(strokes: [[CGPoint(x: Double.nan, y: 0)]])) {
            guard case OspreyError.digits = $0 else { return XCTFail("\($0)") }
        }
        // The same bar, photographed dark on light.
        var gray = [UInt8](repeating: 210, count: 60 * 90)
        for y in 10..<80 { for x in 27..<33 { gray[y * 60 + x] = 15 } }
        XCTAssertEqual(try digits.read(gray: gray, width: 60, height: 90).digit, 1)
        XCTAssertThrowsError(try digits.read(gray: gray, width: 61, height: 90))
        XCTAssertThrowsError(try digits.read(gray: gray, width: -60, height: -90))
    }

    func testHeatSlowsThePace() {
        let pace = PaceController(cameraFramesPerSecond: 30)
        let decide = { (time: Double, thermal: ThermalState) in
            pace.decide(DeviceReading(time: time, thermal: thermal, inference: 0.02))
        }
        XCTAssertEqual(decide(0, .nominal).interval, 1)
        let hot = decide(1, .critical)
        XCTAssertGreaterThan(hot.interval, 3)
        XCTAssertLessThan(hot.allowed, 0.2)
    }

    func testBenchmarksReport() async throws {
        let model = try Model(for: .detection)
        let warm = BenchmarkConditions(DeviceReading(time: 0, thermal: .nominal, inference: 0))
        XCTAssertTrue(warm.isFit)
        XCTAssertFalse(BenchmarkConditions(DeviceReading(time: 0, thermal: .serious, inference: 0)).isFit)
        XCTAssertFalse(
            BenchmarkConditions(DeviceReading(time: 0, thermal: .nominal, isLowPowerMode: true, inference: 0)).isFit)
        let configurations = [1, 2].map {
            BenchmarkConfiguration(name: "test, \($0)", threads: $0, frameWidth: 320, frameHeight: 240, seconds: 0.2)
        }
        var report = BenchmarkReport(
            device: "test", system: "Linux", model: model.name, date: Date(timeIntervalSince1970: 0),
            configurations: configurations)
        let benchmark = DeviceBenchmark(model: model)
        for try await event in benchmark.run(configurations, roundFrames: 2, conditions: { warm }) { report.add(event) }
        XCTAssertEqual(report.conditions, [warm, warm])
        for index in configurations.indices {
            let rounds = report.rounds.filter { $0.configuration == index }
            XCTAssertGreaterThan(rounds.count, 0)
            XCTAssertGreaterThanOrEqual(try XCTUnwrap(rounds.last).at, 0.2, "it runs by time")
            XCTAssertGreaterThan(rounds[0].inferenceP50, 0)
            XCTAssertGreaterThanOrEqual(rounds[0].totalP50, rounds[0].inferenceP50, "tracked boxes come after inference")
            XCTAssertNotNil(report.framesPerSecond(of: index))
            XCTAssertNil(report.held(of: index), "seconds tell nothing of heat")
        }
        let read = try JSONDecoder().decode(BenchmarkReport.self, from: report.json())
        XCTAssertEqual(read, report)
        if let folder = ProcessInfo.processInfo.environment["OSPREY_FRAMES"] {
            // .ci/swift has benches/devices/table read it.
            try report.json().write(to: URL(fileURLWithPath: folder).appendingPathComponent("benchmark.json"))
        }
        let none = BenchmarkConfiguration(name: "none", threads: 1, frameWidth: 0, frameHeight: 240, seconds: 1)
        do {
            for try await _ in benchmark.run([none], conditions: { warm }) {}
            XCTFail("no camera has frames without pixels")
        } catch let error as OspreyError {
            guard case .frame = error else { return XCTFail("\(error)") }
        }
    }

    func testTheHeldShareIsThatOfTheLastMinute() {
        let configuration = BenchmarkConfiguration(name: "long", threads: 2, seconds: 600)
        var report = BenchmarkReport(
            device: "test", system: "Linux", model: "m", date: Date(timeIntervalSince1970: 0), configurations: [configuration])
        for second in 1...600 {
            report.rounds.append(
                BenchmarkRound(
                    configuration: 0, at: Double(second), frames: 60, framesPerSecond: second <= 60 ? 100 : second > 540 ? 80 : 90,
                    preprocessP50: 1, inferenceP50: 1, inferenceP95: 1, inferenceP99: 1, postprocessP50: 1, totalMin: 1,
                    totalP50: 1, totalP95: 1, thermal: .fair))
        }
        XCTAssertEqual(report.held(of: 0) ?? 0, 0.8, accuracy: 1e-9)
        XCTAssertEqual(report.framesPerSecond(of: 0), 90)
    }
}
