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
        let configuration = BenchmarkConfiguration(
            threads: 1, frameWidth: 320, frameHeight: 240, frames: 3, rounds: 2)
        var report = BenchmarkReport(
            device: "test", system: "Linux", model: model.name, date: Date(timeIntervalSince1970: 0),
            configurations: [configuration])
        for try await round in DeviceBenchmark(model: model).run([configuration], thermal: { .fair }) {
            report.rounds.append(round)
        }
        XCTAssertEqual(report.rounds.count, 2)
        XCTAssertGreaterThan(report.rounds[0].inferenceP50, 0)
        XCTAssertGreaterThan(report.rounds[1].at, report.rounds[0].at)
        let read = try JSONDecoder().decode(BenchmarkReport.self, from: report.json())
        XCTAssertEqual(read, report)
        let none = BenchmarkConfiguration(threads: 1, frameWidth: 0, frameHeight: 240)
        do {
            for try await _ in DeviceBenchmark(model: model).run([none], thermal: { .fair }) {}
            XCTFail("no camera has frames without pixels")
        } catch let error as OspreyError {
            guard case .frame = error else { return XCTFail("\(error)") }
        }
    }
}
