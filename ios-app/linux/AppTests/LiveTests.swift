import AVFoundation
import OspreyKit
import UIKit
import XCTest

@testable import Osprey
@testable import OspreyUI

/// The Live screen's models on frames that are made up.
final class LiveTests: DeviceTestCase {
    private func defaults() -> UserDefaults {
        let name = "test-\(UUID().uuidString)"
        return UserDefaults(suiteName: name) ?? .standard
    }

    @MainActor
    func testBuffersAreLockedOnlyDuringSubmit() async throws {
        let detector = try await LiveDetector.load()
        for format in [
            kCVPixelFormatType_32BGRA, kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
            kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
        ] {
            let buffer = cameraFrame(0, format)
            try detector.submit(buffer, orientation: .up, timestamp: Int64(format))
            XCTAssertEqual(buffer.locks, 0)
        }
        let unknown = cameraFrame(0, 0x4c30_3038)
        XCTAssertThrowsError(try detector.submit(unknown, orientation: .up, timestamp: .max)) {
            guard case OspreyError.frame = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertEqual(unknown.locks, 0)
    }

    @MainActor
    func testTheLiveModelShowsTunesPhotographsAndRecords() async throws {
        let camera = Camera()
        let model = LiveModel(defaults: defaults())
        let run = Task { await model.run(on: camera) }
        try await waitUntil("it runs") { camera.status == .running && model.detection.phase == .running }
        XCTAssertTrue(UIApplication.shared.isIdleTimerDisabled, "the screen must not lock while it is looked at")
        let detector = model.detection.loadedDetector
        model.scoreThreshold = 0.05
        XCTAssertNil(model.detection.problem)
        model.startRecording()
        XCTAssertNotNil(model.recording)
        model.takePhoto()
        let session = camera.capture.session
        var number = 0
        try await waitUntil("there are results and a photo") {
            number += 1
            SyntheticCamera.deliver(1, to: session, every: Int64(33 * number)) { _ in cameraFrame(number) }
            return model.detection.result != nil && model.photo != nil && number > 30
        }
        XCTAssertEqual(model.photo?.image.size.width, 180, "turned upright")
        XCTAssertEqual(model.detection.imageSize, CGSize(width: 180, height: 320))
        _ = model.detection.objectsNow()
        try await waitUntil("figures come") { model.detection.figures.framesPerSecond > 0 }
        model.stopRecording()
        XCTAssertNil(model.problem)
        let file = try XCTUnwrap(model.recorded)
        XCTAssertGreaterThan(try Data(contentsOf: file).count, 1000)
        model.startRecording()
        XCTAssertFalse(FileManager.default.fileExists(atPath: file.path), "recordings do not pile up")
        try await waitUntil("it records") { model.recording != nil }
        model.closePhoto()
        model.releaseMemory()
        XCTAssertNil(model.detection.result)
        model.allowedLabels = ["person"]
        XCTAssertNil(model.detection.problem)
        // To the background and back: the detector is still there.
        run.cancel()
        await run.value
        XCTAssertFalse(UIApplication.shared.isIdleTimerDisabled)
        XCTAssertEqual(detector?.state, .paused)
        let again = Task { await model.run(on: camera) }
        try await waitUntil("it is back") { camera.status == .running && detector?.state == .running }
        XCTAssertTrue(model.detection.loadedDetector === detector, "it was not loaded a second time")
        again.cancel()
        await again.value
    }

    /// A task that was cancelled and one that began meanwhile: neither may pause the detector that is shown.
    @MainActor
    func testRunsThatOverlapShareOneDetector() async throws {
        let camera = Camera()
        let detection = LiveDetection()
        let first = Task { await detection.run(on: camera) }
        await Task.yield()
        first.cancel()
        let second = Task { await detection.run(on: camera) }
        await first.value
        try await waitUntil("it runs") { detection.phase == .running && camera.status == .running }
        try await camera.settled()
        XCTAssertEqual(detection.loadedDetector?.state, .running)
        second.cancel()
        await second.value
    }

    @MainActor
    func testSettingsOutliveTheApp() async throws {
        let defaults = defaults()
        let model = LiveModel(defaults: defaults)
        (model.scoreThreshold, model.allowedLabels) = (0.7, ["dog", "cat"])
        (model.coloring, model.framesPerSecond) = (.byClass, 60)
        let next = LiveModel(defaults: defaults)
        XCTAssertEqual(next.scoreThreshold, 0.7)
        XCTAssertEqual(next.allowedLabels, ["dog", "cat"])
        XCTAssertEqual(next.coloring, .byClass)
        XCTAssertEqual(next.framesPerSecond, 60)
        XCTAssertEqual(next.detection.options.classes, .only(["cat", "dog"]))
    }

    func testLossesAreThoseOfTheLastMomentWithoutThePaced() throws {
        let detector = try LiveDetector(model: Model(for: .detection))
        var meter = LiveMeter(detector.ledger, cameraDrops: 3, at: 10)
        detector.pause()
        try detector.submit(cameraFrame(0), orientation: .up, timestamp: 1)
        let pace = Pace(level: 0, interval: 1, allowed: 0, expected: 0)
        let figures = meter.figures(detector.ledger, cameraDrops: 5, at: 11, age: 0.02, pace: pace, thermal: .fair)
        XCTAssertEqual(figures.lost, 2, "a frame that the pause left out is not lost; two of the camera are")
        let next = meter.figures(detector.ledger, cameraDrops: 5, at: 12, age: 0.02, pace: pace, thermal: .fair)
        XCTAssertEqual(next.lost, 0)
    }

    func testNewObjectsAreAnnouncedOnce() {
        let object = { (id: UInt64, label: String) in
            TrackedObject(
                id: id, detection: Detection(
                    box: NormalizedBox(minX: 0, minY: 0, maxX: 1, maxY: 1), classID: 0, label: label, score: 1),
                age: 0, unseen: 0)
        }
        var announcer = Announcer()
        XCTAssertEqual(announcer.text(for: [object(1, "dog"), object(2, "dog"), object(3, "cat")], at: 0), "dog, cat")
        XCTAssertNil(announcer.text(for: [object(1, "dog")], at: 10))
        XCTAssertEqual(announcer.text(for: [object(1, "dog"), object(4, "car")], at: 11), "car")
        XCTAssertNil(announcer.text(for: [object(5, "bus")], at: 12), "one cannot listen so fast")
        XCTAssertEqual(announcer.text(for: [object(5, "bus")], at: 14), "bus")
    }

    func testACopyHasThePixelsAndOutlivesTheBuffer() throws {
        for format in [kCVPixelFormatType_32BGRA, kCVPixelFormatType_420YpCbCr8BiPlanarFullRange] {
            let buffer = cameraFrame(3, format)
            buffer.attachments["a"] = "b"
            let copy = try XCTUnwrap(buffer.copied())
            XCTAssertEqual(buffer.locks + copy.locks, 0)
            XCTAssertEqual(copy.attachments, ["a": "b"])
            for pixels in [buffer, copy] { CVPixelBufferLockBaseAddress(pixels, .readOnly) }
            let planes = max(CVPixelBufferGetPlaneCount(buffer), 1)
            for plane in 0..<planes {
                let count = CVPixelBufferGetBytesPerRowOfPlane(buffer, plane) * CVPixelBufferGetHeightOfPlane(buffer, plane)
                let (a, b) = (CVPixelBufferGetBaseAddressOfPlane(buffer, plane), CVPixelBufferGetBaseAddressOfPlane(copy, plane))
                XCTAssertEqual(memcmp(try XCTUnwrap(a), try XCTUnwrap(b), count), 0)
            }
            for pixels in [buffer, copy] { CVPixelBufferUnlockBaseAddress(pixels, .readOnly) }
        }
    }
}
