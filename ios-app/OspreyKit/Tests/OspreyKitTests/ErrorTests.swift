import XCTest

@testable import OspreyKit

/// What a caller can switch over, and what is refused.
final class ErrorTests: XCTestCase {
    private func kind(_ work: () throws -> Void) -> String {
        do {
            try work()
            return "none"
        } catch let error as OspreyError {
            XCTAssertFalse(error.message.isEmpty)
            XCTAssertEqual(error.localizedDescription, error.message)
            switch error {
            case .pointer: return "pointer"
            case .frame: return "frame"
            case .model: return "model"
            case .options: return "options"
            case .learning: return "learning"
            case .motion: return "motion"
            case .digits: return "digits"
            case .blank: return "blank"
            case .storage: return "storage"
            case .defect: return "defect"
            }
        } catch {
            return "\(error)"
        }
    }

    func testBadBuffersAreRefused() throws {
        let detector = try detector()
        let submit = { (change: (inout PixelFrame) -> Void) in
            self.kind {
                try Picture.gray().lend {
                    var frame = $0
                    change(&frame)
                    _ = try detector.submit(frame)
                }
            }
        }
        let plane = { (bytes: UnsafeRawBufferPointer, stride: Int) in
            PixelLayout.bgra(PixelPlane(bytes: bytes, bytesPerRow: stride))
        }
        XCTAssertEqual(submit { _ in }, "none")
        XCTAssertEqual(submit { $0.layout = plane(UnsafeRawBufferPointer(start: nil, count: 0), 256) }, "pointer")
        XCTAssertEqual(submit { $0.height = 49 }, "frame")
        XCTAssertEqual(submit { $0.width = 65 }, "frame")
        XCTAssertEqual(submit { $0.width = 0 }, "frame")
        XCTAssertEqual(submit { $0.width = -1 }, "frame")
        XCTAssertEqual(submit { $0.height = .max }, "frame")
        XCTAssertEqual(submit { if case .bgra(let p) = $0.layout { $0.layout = plane(p.bytes, -4) } }, "frame")
        XCTAssertEqual(submit { if case .bgra(let p) = $0.layout { $0.layout = plane(p.bytes, .max) } }, "frame")
        let nowhere = PixelPlane(bytes: UnsafeRawBufferPointer(start: nil, count: 0), bytesPerRow: 64)
        XCTAssertEqual(
            submit {
                if case .bgra(let p) = $0.layout { $0.layout = .biplanar(luma: p, chroma: nowhere, color: .bt709Full) }
            }, "frame")
        XCTAssertEqual(submit { $0.region = NormalizedBox(minX: .nan, minY: 0, maxX: 1, maxY: 1) }, "frame")
        XCTAssertEqual(submit { $0.region = NormalizedBox(minX: 0.2, minY: 0.2, maxX: 0.8, maxY: 0.9) }, "none")
    }

    func testOptionsAreChecked() throws {
        let detector = try detector()
        let tune = { (change: (inout DetectorOptions) -> Void) in
            var options = DetectorOptions()
            change(&options)
            return self.kind { try detector.tune(options) }
        }
        XCTAssertEqual(tune { $0.scoreThreshold = 1.5 }, "options")
        XCTAssertEqual(tune { $0.scoreThreshold = .nan }, "options")
        XCTAssertEqual(tune { $0.iouThreshold = 2 }, "options")
        XCTAssertEqual(tune { $0.classes = .only(["perzon"]) }, "options")
        XCTAssertEqual(tune { $0.classes = .only([]) }, "options")
        XCTAssertEqual(tune { $0.classThresholds = ["zebra": -1] }, "options")
        XCTAssertEqual(tune { $0.classes = .except(["person", "12"]) }, "none")
        XCTAssertEqual(tune { $0.suppression = .soft }, "none")
    }

    func testModelsThatAreNotThere() throws {
        XCTAssertEqual(kind { _ = try Model(named: "no such") }, "model")
        XCTAssertEqual(kind { _ = try Model(file: URL(fileURLWithPath: "/no/such.tflite")) }, "storage")
        let folder = try temporaryFolder()
        let broken = folder.appendingPathComponent("broken.tflite")
        try Data("not a model".utf8).write(to: broken)
        XCTAssertEqual(kind { _ = try LiveDetector(model: Model(file: broken)) }, "model")
        XCTAssertEqual(kind { _ = try LiveDetector(model: Model(for: .digits)) }, "model")
        XCTAssertEqual(kind { _ = try DigitClassifier(model: Model(for: .detection)) }, "model")
        XCTAssertEqual(kind { _ = try MotionClassifier(model: Model(for: .detection)) }, "model")
    }

    func testLoadingAwayFromTheCaller() async throws {
        let detector = try await LiveDetector.load()
        XCTAssertEqual(detector.state, .running)
        XCTAssertEqual(detector.labels.count, 80)
        do {
            _ = try await LiveDetector.load(model: Model(for: .digits))
            XCTFail("a model of digits detects nothing")
        } catch let error as OspreyError {
            guard case .model = error else { return XCTFail("\(error)") }
        }
    }
}
