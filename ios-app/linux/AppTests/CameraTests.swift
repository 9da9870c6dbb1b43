import AVFoundation
import OspreyKit
import XCTest

@testable import OspreyUI

/// What fails first in a hand: screens that come and go, questions that stand, previews, formats.
final class CameraTests: DeviceTestCase {
    /// The first launch: the system asks while the screen's task runs; the question makes the scene inactive,
    /// or the user changes the tab behind it.
    @MainActor
    func testTheCameraRunsAfterPermissionWasAskedTwice() async throws {
        SyntheticCamera.permission = .unanswered
        let camera = Camera()
        let sink = InfoSink()
        let first = Task { await camera.run(sink) }
        try await waitUntil("it asks") { SyntheticCamera.isAsking }
        XCTAssertEqual(camera.status, .starting)
        // The screen's task is cancelled and another begins while the question stands.
        first.cancel()
        let second = Task { await camera.run(sink) }
        await first.value
        SyntheticCamera.answer(true)
        try await waitUntil("it runs") { camera.status == .running }
        try await camera.settled()
        XCTAssertTrue(camera.capture.session.isRunning, "the task that left stopped the one that stays")
        SyntheticCamera.deliver(1, to: camera.capture.session) { cameraFrame($0) }
        XCTAssertEqual(sink.count, 1)
        second.cancel()
        await second.value
        try await camera.settled()
        XCTAssertFalse(camera.capture.session.isRunning)
        XCTAssertEqual(camera.status, .off)
    }

    /// UIKit shows the new tab before it hides the old one; SwiftUI does not wait for a task that it cancels.
    @MainActor
    func testAChangeOfTabsKeepsTheCameraRunning() async throws {
        let camera = Camera()
        let (live, teach) = (InfoSink(), InfoSink())
        for isNewFirst in [true, false] {
            let old = Task { await camera.run(live) }
            try await waitUntil("it runs") { camera.status == .running }
            let new: Task<Void, Never>
            if isNewFirst {
                new = Task { await camera.run(teach) }
                try await Task.sleep(for: .milliseconds(10))
                old.cancel()
            } else {
                old.cancel()
                new = Task { await camera.run(teach) }
            }
            await old.value
            try await camera.settled()
            XCTAssertTrue(camera.capture.session.isRunning, "the new tab first: \(isNewFirst)")
            XCTAssertEqual(camera.status, .running)
            let before = (live.count, teach.count)
            SyntheticCamera.deliver(1, to: camera.capture.session) { cameraFrame($0) }
            XCTAssertEqual(live.count, before.0, "the tab that left gets nothing")
            XCTAssertEqual(teach.count, before.1 + 1)
            new.cancel()
            await new.value
            try await camera.settled()
            XCTAssertFalse(camera.capture.session.isRunning, "nobody looks")
        }
    }

    @MainActor
    func testARefusedCameraSaysWhatToDo() async throws {
        SyntheticCamera.permission = .refused
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it fails") { camera.status == .failed(.denied) }
        XCTAssertTrue(CameraError.denied.localizedDescription.contains("Settings"))
        SyntheticCamera.permission = .granted
        camera.retry()
        try await waitUntil("it runs") { camera.status == .running }
        run.cancel()
        await run.value
    }

    @MainActor
    func testTwoPreviewsAreNeverOnOneSession() async throws {
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.status == .running }
        let live = Shown(camera)
        XCTAssertTrue(camera.capture.session.feeds(live.view.previewLayer))
        let teach = Shown(camera)
        XCTAssertTrue(camera.capture.session.feeds(teach.view.previewLayer), "the tab on screen moves")
        live.view.move(to: nil)
        teach.view.move(to: nil)
        live.view.move(to: live.window)
        XCTAssertTrue(camera.capture.session.feeds(live.view.previewLayer), "and so does the one come back to")
        XCTAssertEqual(live.angle, 90)
        CameraPreview.dismantleUIView(live.view, coordinator: ())
        XCTAssertNil(live.view.previewLayer.session)
        run.cancel()
        await run.value
    }

    @MainActor
    func testSixtyFramesPerSecondAreSixtyOrSaidNotToBe() async throws {
        for (model, expected) in [(SyntheticCamera.Model.iPhone15, 60), (.slow, 30)] {
            SyntheticCamera.become(model)
            let camera = Camera()
            let run = Task { await camera.run(InfoSink()) }
            try await waitUntil("it runs") { camera.status == .running }
            XCTAssertEqual(camera.framesPerSecond, 30)
            camera.choice.framesPerSecond = 60
            try await waitUntil("it is set") { camera.framesPerSecond == expected }
            let device = SyntheticCamera.device(.back)
            XCTAssertEqual(1 / device.activeVideoMinFrameDuration.seconds, Double(expected), accuracy: 0.1)
            // A dark room is exposed twice as long.
            XCTAssertEqual(1 / device.activeVideoMaxFrameDuration.seconds, Double(expected) / 2, accuracy: 0.1)
            let description = device.activeFormat.formatDescription
            XCTAssertEqual(CMFormatDescriptionGetMediaSubType(description), kCVPixelFormatType_420YpCbCr8BiPlanarFullRange)
            XCTAssertEqual(CMVideoFormatDescriptionGetDimensions(description).height, 720)
            XCTAssertEqual(camera.capture.session.inputChanges, 1, "another rate is no reason for a black screen")
            run.cancel()
            await run.value
        }
    }

    @MainActor
    func testACameraThatTheSessionRefusesLeavesTheOtherInPlace() async throws {
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.status == .running }
        SyntheticCamera.refusesInputs = true
        camera.choice.position = .front
        try await waitUntil("it fails") {
            if case .failed(.unusable) = camera.status { true } else { false }
        }
        SyntheticCamera.refusesInputs = false
        camera.choice.position = .back
        try await waitUntil("it runs again") { camera.status == .running }
        SyntheticCamera.deliver(1, to: camera.capture.session) { cameraFrame($0) }
        XCTAssertEqual(camera.capture.session.inputs.count, 1)
        run.cancel()
        await run.value
    }

    @MainActor
    func testInterruptionsAreToldApartAndErrorsDoNotLoop() async throws {
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.status == .running }
        let (center, session) = (NotificationCenter.default, camera.capture.session)
        let reasons: [(Int, CameraInterruption)] = [
            (1, .background), (3, .otherClient), (4, .sharedScreen), (5, .systemPressure), (6, .sensitiveContent), (99, .unknown),
        ]
        for (number, reason) in reasons {
            center.post(
                name: AVCaptureSession.wasInterruptedNotification, object: session,
                userInfo: [AVCaptureSessionInterruptionReasonKey: NSNumber(value: number)])
            try await waitUntil("\(reason)") { camera.status == .interrupted(reason) }
            center.post(name: AVCaptureSession.interruptionEndedNotification, object: session)
            try await waitUntil("it is back") { camera.status == .running }
        }
        let texts = reasons.map(\.1.message)
        XCTAssertEqual(Set(texts).count, texts.count)
        center.post(
            name: AVCaptureSession.runtimeErrorNotification, object: session,
            userInfo: [AVCaptureSessionErrorKey: AVError(.deviceWasDisconnected)])
        try await waitUntil("it is shown") {
            if case .failed = camera.status { true } else { false }
        }
        session.stopRunning()
        try await camera.settled()
        XCTAssertFalse(session.isRunning, "an error that lasts must not start it for ever")
        center.post(
            name: AVCaptureSession.runtimeErrorNotification, object: session,
            userInfo: [AVCaptureSessionErrorKey: AVError(.mediaServicesWereReset)])
        try await waitUntil("it starts again") { session.isRunning && camera.status == .running }
        run.cancel()
        await run.value
    }

    @MainActor
    func testAHotCameraRunsSlower() async throws {
        let camera = Camera(CameraChoice(framesPerSecond: 60))
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.framesPerSecond == 60 }
        SyntheticCamera.device(.back).press(.serious)
        try await waitUntil("it is slower") { camera.framesPerSecond == 15 && camera.isUnderPressure }
        SyntheticCamera.device(.back).press(.nominal)
        try await waitUntil("it is as before") { camera.framesPerSecond == 60 && !camera.isUnderPressure }
        run.cancel()
        await run.value
    }

    @MainActor
    func testZoomTorchAndFocus() async throws {
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.status == .running }
        let (shown, device) = (Shown(camera), SyntheticCamera.device(.back))
        XCTAssertEqual(camera.lenses.map(\.zoom), [0.5, 1, 3])
        XCTAssertEqual(device.videoZoomFactor, 2, "it begins with the wide-angle lens")
        camera.zoom = 0.5
        camera.isTorchOn = true
        camera.focus(at: CGPoint(x: 195, y: 211))
        try await camera.settled()
        XCTAssertEqual(device.videoZoomFactor, 1)
        XCTAssertEqual(device.torchMode, .on)
        XCTAssertEqual(device.focusPointOfInterest, CGPoint(x: 0.25, y: 0.5))
        camera.zoom = 100
        XCTAssertEqual(camera.zoom, camera.zoomRange.upperBound)
        camera.choice.position = .front
        try await waitUntil("it is the other") { !camera.hasTorch }
        XCTAssertFalse(camera.isTorchOn)
        XCTAssertEqual(camera.lenses, [])
        camera.isTorchOn = true
        XCTAssertFalse(camera.isTorchOn)
        _ = shown
        run.cancel()
        await run.value
    }

    @MainActor
    func testDropsOfTheCameraAreCounted() async throws {
        let camera = Camera()
        let run = Task { await camera.run(InfoSink()) }
        try await waitUntil("it runs") { camera.status == .running }
        SyntheticCamera.drop(from: camera.capture.session)
        XCTAssertEqual(camera.droppedFrames, 1)
        run.cancel()
        await run.value
    }
}
