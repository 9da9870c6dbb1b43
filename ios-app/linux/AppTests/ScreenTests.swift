import AVFoundation
import CoreMotion
import OspreyKit
import SwiftUI
import XCTest

@testable import Osprey
@testable import OspreyUI

/// Draw, Motion, Teach, and the bodies of all screens.
final class ScreenTests: DeviceTestCase {
    @MainActor
    func testDrawingIsRead() async {
        let model = DrawModel()
        for i in 0..<20 { model.draw(to: CGPoint(x: 50, y: 5 * i)) }
        model.lift()
        XCTAssertEqual(model.reading?.digit, 1)
        for i in 0..<5 { model.draw(to: CGPoint(x: 10 * i, y: 50)) }
        model.lift()
        model.undo()
        XCTAssertEqual(model.strokes.count, 1)
        XCTAssertEqual(model.reading?.digit, 1)
        model.clear()
        XCTAssertTrue(model.strokes.isEmpty && model.reading == nil)
    }

    @MainActor
    func testMotionIsShownInSecondsBeforeNow() async throws {
        XCTAssertFalse(MotionModel.names.isEmpty)
        let model = MotionModel()
        let run = Task { await model.run("run-or-walk") }
        try await waitUntil("it listens") { SyntheticMotion.listeners > 0 }
        // Core Motion's clock counts from the device's start.
        for i in 0..<120 { SyntheticMotion.move(at: 500_000 + Double(i) / 5, x: i % 3 == 0 ? 1.5 : -0.9) }
        try await waitUntil("spans come") { (model.recent.last?.end ?? -1) == 0 && !model.recent.isEmpty }
        XCTAssertTrue(model.recent.allSatisfy { (-60...0).contains($0.start) && (-60...0).contains($0.end) })
        XCTAssertTrue(model.spans.allSatisfy { model.rows.contains($0.label) })
        XCTAssertEqual(model.labels, ["walk", "run"])
        run.cancel()
        await run.value
        try await waitUntil("the sensors rest when the screen is left") { SyntheticMotion.listeners == 0 }
    }

    /// Models of averages get a sensor that is fast enough to average; all of one manager.
    @MainActor
    func testAChangeOfModelsAsksForTheirRate() async throws {
        guard MotionModel.names.contains("activity") else { throw XCTSkip("no model of averages is built in") }
        let model = MotionModel()
        let walk = Task { await model.run("run-or-walk") }
        try await waitUntil("it listens") { SyntheticMotion.listeners == 1 }
        let slow = SyntheticMotion.interval
        walk.cancel()
        await walk.value
        try await waitUntil("it rests") { SyntheticMotion.listeners == 0 }
        let activity = Task { await model.run("activity") }
        try await waitUntil("it listens") { SyntheticMotion.listeners == 1 }
        XCTAssertEqual(SyntheticMotion.interval, 0.01, accuracy: 1e-9)
        XCTAssertGreaterThan(slow, 0.01)
        XCTAssertEqual(SyntheticMotion.managers, 1, "Apple asks for one manager in an app")
        activity.cancel()
        await activity.value
    }

    @MainActor
    func testTeachingFromTheCamera() async throws {
        let camera = Camera()
        let model = TeachModel()
        let run = Task { await model.run(on: camera) }
        try await waitUntil("it runs") { camera.status == .running }
        let session = camera.capture.session
        try await waitUntil("it is open") {
            model.addClass("a")
            return !model.classes.isEmpty
        }
        model.reset()
        model.addClass("bright")
        model.addClass("dark")
        var time: Int64 = 0
        let deliver = { (isBright: Bool) in
            time += 250
            SyntheticCamera.deliver(1, to: session, every: time) { _ in
                makePixelBuffer(160, 120, kCVPixelFormatType_32BGRA) { _, x, y in isBright ? 220 : UInt8((x ^ y) & 63) }
            }
        }
        for id in [0, 1] {
            let before = model.classes[id].pictures
            model.holdToLearn(id)
            XCTAssertEqual(model.burst, id)
            for _ in 0..<2 { deliver(id == 0) }
            model.release()
            deliver(id == 0)
            try await waitUntil("a burst of two is learned") { model.classes[id].pictures == before + 2 }
        }
        // A tap shorter than a frame learns one image.
        model.holdToLearn(0)
        model.release()
        for _ in 0..<2 { deliver(true) }
        try await waitUntil("one is learned") { model.classes[0].pictures == 3 }
        model.epochCount = 5
        await model.train()
        XCTAssertEqual(model.epochs.count, 5, model.problem ?? "")
        XCTAssertTrue(model.isTrained)
        try await waitUntil("it answers") {
            deliver(true)
            return model.answer?.classID == 0
        }
        await model.export()
        XCTAssertNotNil(model.exported, model.problem ?? "")
        model.reset()
        XCTAssertTrue(model.classes.isEmpty)
        run.cancel()
        await run.value
    }

    /// What surrounds the square on screen is not learned, however the phone is held.
    func testTeachLooksAtTheSquareThatIsShown() {
        let wide = cameraFrame(0)
        let upright = TeachSink.square(wide, .right)
        XCTAssertEqual([upright.minX, upright.maxX], [0, 1])
        XCTAssertEqual(upright.minY, 0.21875, accuracy: 1e-6)
        XCTAssertEqual(upright.maxY, 0.78125, accuracy: 1e-6)
        let level = TeachSink.square(wide, .up)
        XCTAssertEqual([level.minY, level.maxY], [0, 1])
        XCTAssertEqual(level.minX, 0.21875, accuracy: 1e-6)
    }

    @MainActor
    func testTheBenchmarkRunsStopsAndIsShared() async throws {
        let model = BenchmarkModel()
        XCTAssertTrue(model.isFit(), model.warning ?? "")
        let short = [1, 2].map {
            BenchmarkConfiguration(name: "short \($0)", threads: $0, frameWidth: 320, frameHeight: 240, seconds: 0.01)
        }
        await model.run(short)
        XCTAssertNil(model.problem)
        let report = try JSONDecoder().decode(BenchmarkReport.self, from: Data(contentsOf: try XCTUnwrap(model.file)))
        XCTAssertEqual(report.conditions.count, 2)
        XCTAssertEqual(Set(report.rounds.map(\.configuration)), [0, 1])
        let task = Task { await model.run([BenchmarkConfiguration(name: "long", threads: 1, frameWidth: 320, frameHeight: 240, seconds: 600)]) }
        try await waitUntil("it runs") { !(model.report?.rounds.isEmpty ?? true) && model.isRunning }
        task.cancel()
        await task.value
        XCTAssertFalse(model.isRunning)
        XCTAssertNotNil(model.file, "what was measured can be shared")
    }

    func testClassesAreFoundByAnyPart() {
        let labels = ["dog", "hot dog", "cat"]
        XCTAssertEqual(ClassPicker.found("DOG", in: labels), ["dog", "hot dog"])
        XCTAssertEqual(ClassPicker.found("", in: labels), labels)
    }

    /// Evaluates the body of every screen: what it reads is there.
    @MainActor
    func testScreensHaveBodies() async throws {
        _ = RootView().body
        _ = WelcomeView {}.body
        let (camera, model) = (Camera(), LiveModel())
        _ = LiveView(camera: camera, model: model).body
        _ = SettingsView(camera: camera, model: model).body
        _ = ClassPicker(labels: ["a"], allowed: .init(get: { [] }, set: { _ in })).body
        _ = AcknowledgementsView().body
        _ = DrawView().body
        _ = MotionView().body
        _ = TeachView(camera: camera).body
        _ = BenchmarkView().body
        _ = DetectorView().body
        let object = TrackedObject(
            id: 1,
            detection: Detection(
                box: NormalizedBox(minX: 0.1, minY: 0.1, maxX: 0.5, maxY: 0.5), classID: 0, label: "person", score: 0.9),
            age: 1, unseen: 0)
        _ = DetectionOverlay(objects: [object], image: CGSize(width: 1080, height: 1920)).body
        let image = try XCTUnwrap(PhotoStudio().upright(
            cameraFrame(0),
            CameraFrameInfo(orientation: .right, isMirrored: false, previewTurn: .none, timestamp: 0)))
        let photo = Photo(image: image, objects: [object])
        _ = PhotoView(photo: photo, coloring: .byClass, save: { _ in true }, done: {}).body
        _ = FilmView(file: URL(fileURLWithPath: "/a.mp4"), save: { true }, done: {}).body
        XCTAssertEqual(BoxPainter.painted(photo, coloring: .byIdentity).size, CGSize(width: 180, height: 320))
    }
}
