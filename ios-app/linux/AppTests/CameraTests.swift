import AVFoundation
import CoreMotion
import OspreyKit
import SwiftUI
import UIKit
import XCTest

@testable import Osprey

/// The app's own code on frames and motion that are made up.
final class CameraTests: XCTestCase {
    /// The default 420f frame: a gradient that is not the same along both axes.
    private func frame(_ number: Int, _ format: OSType = kCVPixelFormatType_420YpCbCr8BiPlanarFullRange)
        -> CVPixelBuffer
    {
        makePixelBuffer(320, 180, format) { plane, x, y in
            plane == 0 ? UInt8(truncatingIfNeeded: x + 2 * y + number) : 128
        }
    }

    @MainActor
    private func waited(for condition: () -> Bool) async throws -> Bool {
        for _ in 0..<600 where !condition() { try await Task.sleep(for: .milliseconds(50)) }
        return condition()
    }

    @MainActor
    func testFramesGoThroughTheCaptureDelegateIntoTheDetector() async throws {
        let capture = CameraCapture()
        let sink = DetectionSink()
        let detector = try await LiveDetector.load()
        sink.use(detector)
        capture.send(to: sink)
        try await capture.start(CameraChoice(position: .back, framesPerSecond: 30))
        SyntheticCamera.deliver(5, to: capture.session) { number in self.frame(number) }
        let ledger = detector.ledger
        XCTAssertEqual(ledger.captured, 5)
        XCTAssertTrue(ledger.balances)
        XCTAssertNil(sink.takeFailure())
        for await result in detector.results {
            // Held upright, the sensor's rows stand.
            XCTAssertEqual(try result.get().pictureWidth, 180)
            XCTAssertEqual(try result.get().pictureHeight, 320)
            break
        }
        capture.turn(.landscapeLeft)
        SyntheticCamera.deliver(1, to: capture.session, every: 5_000) { number in self.frame(number) }
        for await result in detector.results where try result.get().timestamp == 5_000_000_000 {
            XCTAssertEqual(try result.get().pictureWidth, 320)
            break
        }
        capture.stop()
    }

    @MainActor
    func testBuffersAreLockedOnlyDuringSubmit() async throws {
        let detector = try await LiveDetector.load()
        for format in [
            kCVPixelFormatType_32BGRA, kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
            kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
        ] {
            let buffer = frame(0, format)
            try detector.submit(buffer, orientation: .up, timestamp: Int64(format))
            XCTAssertEqual(buffer.locks, 0)
        }
        let unknown = frame(0, 0x4c30_3038)
        XCTAssertThrowsError(try detector.submit(unknown, orientation: .up, timestamp: .max)) {
            guard case OspreyError.frame = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertEqual(unknown.locks, 0)
    }

    @MainActor
    func testTheLiveModelShowsTunesFreezesAndRecords() async throws {
        let camera = CameraModel()
        let model = LiveModel()
        camera.capture.send(to: model.sink)
        await camera.start()
        XCTAssertTrue(camera.isRunning)
        let run = Task { await model.run(framesPerSecond: 30) }
        let isLoaded = try await waited { model.phase == .running }
        XCTAssertTrue(isLoaded)
        model.scoreThreshold = 0.05
        XCTAssertNil(model.problem)
        model.startRecording()
        XCTAssertNotNil(model.recording)
        model.freeze()
        let session = camera.capture.session
        var number = 0
        let isShown = try await waited {
            number += 1
            SyntheticCamera.deliver(1, to: session, every: Int64(33 * number)) { _ in self.frame(number) }
            return model.result != nil && model.frozen != nil && number > 30
        }
        XCTAssertTrue(isShown)
        XCTAssertEqual(model.frozen?.image.size.width, 180, "turned upright")
        model.stopRecording()
        let file = try XCTUnwrap(model.recorded)
        XCTAssertGreaterThan(try Data(contentsOf: file).count, 1000)
        model.thaw()
        model.releaseMemory()
        XCTAssertNil(model.result)
        model.allowedLabels = ["person"]
        XCTAssertNil(model.problem)
        // To the background and back: the model is there again.
        run.cancel()
        await run.value
        let again = Task { await model.run(framesPerSecond: 60) }
        let isBack = try await waited { model.phase == .running }
        XCTAssertTrue(isBack)
        again.cancel()
        await again.value
    }

    /// How the screen stands decides over preview and boxes alike, for either camera.
    @MainActor
    func testPreviewAndBoxesTurnTogether() async throws {
        let camera = CameraModel()
        await camera.start()
        let sink = OrientationSink()
        camera.capture.send(to: sink)
        let preview = CameraPreview(camera: camera)
        let view = preview.makeUIView(context: .init())
        let window = UIWindow(), scene = UIWindowScene()
        (window.windowScene, view.window) = (scene, window)
        let cases: [(UIInterfaceOrientation, CameraPosition, FrameOrientation, CGFloat)] = [
            (.portrait, .back, .right, 90), (.landscapeRight, .back, .up, 0), (.landscapeLeft, .back, .down, 180),
            (.portrait, .front, .right, 90), (.landscapeRight, .front, .down, 180), (.landscapeLeft, .front, .up, 0),
            (.portraitUpsideDown, .back, .left, 270),
        ]
        for (stands, position, orientation, angle) in cases {
            try await camera.capture.start(CameraChoice(position: position))
            scene.interfaceOrientation = stands
            (camera.choice.position, view.position) = (position, position)
            preview.updateUIView(view, context: .init())
            SyntheticCamera.deliver(1, to: camera.capture.session) { number in self.frame(number) }
            XCTAssertEqual(sink.last?.orientation, orientation, "\(stands) \(position)")
            XCTAssertEqual(sink.last?.isMirrored, position == .front)
            XCTAssertEqual(view.previewLayer.connection?.videoRotationAngle, angle, "\(stands) \(position)")
        }
    }

    @MainActor
    func testARefusedCameraSaysWhatToDo() async {
        SyntheticCamera.isAllowed = false
        defer { SyntheticCamera.isAllowed = true }
        let camera = CameraModel()
        await camera.start()
        XCTAssertFalse(camera.isRunning)
        XCTAssertTrue(camera.problem?.contains("Settings") ?? false)
    }

    @MainActor
    func testDrawingIsRead() async {
        let model = DrawModel()
        for i in 0..<20 { model.draw(to: CGPoint(x: 50, y: 5 * i)) }
        model.lift()
        XCTAssertEqual(model.reading?.digit, 1)
        model.clear()
        XCTAssertTrue(model.strokes.isEmpty && model.reading == nil)
    }

    @MainActor
    func testMotionIsShown() async throws {
        XCTAssertFalse(MotionModel.names.isEmpty)
        let model = MotionModel()
        let run = Task { await model.run("run-or-walk") }
        let isListening = try await waited { SyntheticMotion.listeners > 0 }
        XCTAssertTrue(isListening)
        for i in 0..<60 { SyntheticMotion.move(at: Double(i) / 5, x: i % 3 == 0 ? 1.5 : -0.9) }
        let isShown = try await waited { !model.spans.isEmpty }
        XCTAssertTrue(isShown)
        XCTAssertEqual(model.labels, ["walk", "run"])
        run.cancel()
        await run.value
        let isLeft = try await waited { SyntheticMotion.listeners == 0 }
        XCTAssertTrue(isLeft, "the sensors rest when the screen is left")
    }

    @MainActor
    func testTeachingFromTheCamera() async throws {
        let camera = CameraModel()
        let model = TeachModel()
        camera.capture.send(to: model.sink)
        await camera.start()
        let run = Task { await model.run() }
        let session = camera.capture.session
        let isOpen = try await waited {
            model.addClass("a")
            return !model.classes.isEmpty
        }
        XCTAssertTrue(isOpen)
        model.reset()
        model.addClass("bright")
        model.addClass("dark")
        for id in [0, 1, 0, 1] {
            let before = model.classes[id].pictures
            model.addPicture(to: id)
            SyntheticCamera.deliver(1, to: session) { _ in
                makePixelBuffer(160, 120, kCVPixelFormatType_32BGRA) { _, x, y in id == 0 ? 220 : UInt8((x ^ y) & 63) }
            }
            let isLearned = try await waited { model.classes[id].pictures > before }
            XCTAssertTrue(isLearned)
        }
        model.epochCount = 5
        await model.train()
        XCTAssertEqual(model.epochs.count, 5, model.problem ?? "")
        XCTAssertTrue(model.isTrained)
        SyntheticCamera.deliver(1, to: session) { _ in
            makePixelBuffer(160, 120, kCVPixelFormatType_32BGRA) { _, _, _ in 220 }
        }
        let isAnswered = try await waited { model.answer?.classID == 0 }
        XCTAssertTrue(isAnswered)
        model.export()
        XCTAssertNotNil(model.exported)
        model.reset()
        XCTAssertTrue(model.classes.isEmpty)
        run.cancel()
        await run.value
    }

    /// Evaluates the body of every screen: what it reads is there.
    @MainActor
    func testScreensHaveBodies() async {
        _ = RootView().body
        let camera = CameraModel()
        _ = LiveView(camera: camera).body
        _ = DrawView().body
        _ = MotionView().body
        _ = TeachView(camera: camera).body
        _ = BenchmarkView().body
        let object = TrackedObject(
            id: 1,
            detection: Detection(
                box: NormalizedBox(minX: 0.1, minY: 0.1, maxX: 0.5, maxY: 0.5), classID: 0, label: "person", score: 0.9),
            age: 1, unseen: 0)
        _ = OverlayView(objects: [object], picture: CGSize(width: 1080, height: 1920)).body
    }
}

/// Keeps what it was told last.
private final class OrientationSink: FrameSink, @unchecked Sendable {
    private let lock = NSLock()
    private var facts: FrameFacts?

    var last: FrameFacts? { lock.withLock { facts } }

    func take(_ pixelBuffer: CVPixelBuffer, _ facts: FrameFacts) {
        lock.withLock { self.facts = facts }
    }
}
