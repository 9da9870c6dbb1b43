import AVFoundation
import OspreyKit
import XCTest

@testable import OspreyUI

/// What the detector sees stands upright, what the preview shows follows the interface, and boxes fit it: on
/// devices whose sensors lie differently.
final class RotationTests: DeviceTestCase {
    private struct Case {
        var model: SyntheticCamera.Model
        var position: CameraPosition
        var held: SyntheticAttitude
        /// The clockwise angle from the sensor's rows to upright.
        var angle: Double
    }

    /// Apple's documentation and header comments: sensors along the long edge; the upright square front sensor
    /// of the iPhone 17; the front camera on the long edge of iPads since 2024.
    private let cases: [Case] = [
        Case(model: .iPhone15, position: .back, held: .portrait, angle: 90),
        Case(model: .iPhone15, position: .back, held: .landscapeLeft, angle: 0),
        Case(model: .iPhone15, position: .back, held: .landscapeRight, angle: 180),
        Case(model: .iPhone15, position: .back, held: .upsideDown, angle: 270),
        Case(model: .iPhone15, position: .front, held: .portrait, angle: 90),
        Case(model: .iPhone15, position: .front, held: .landscapeLeft, angle: 180),
        Case(model: .iPhone15, position: .front, held: .landscapeRight, angle: 0),
        Case(model: .iPhone17, position: .back, held: .portrait, angle: 90),
        Case(model: .iPhone17, position: .front, held: .portrait, angle: 0),
        Case(model: .iPhone17, position: .front, held: .landscapeLeft, angle: 90),
        Case(model: .iPhone17, position: .front, held: .landscapeRight, angle: 270),
        Case(model: .iPad2024, position: .back, held: .portrait, angle: 90),
        Case(model: .iPad2024, position: .front, held: .portrait, angle: 270),
        Case(model: .iPad2024, position: .front, held: .landscapeLeft, angle: 0),
        Case(model: .iPad2024, position: .front, held: .landscapeRight, angle: 180),
    ]

    @MainActor
    private func check(_ camera: Camera, _ shown: Shown, _ sink: InfoSink, _ one: Case, _ how: String) throws {
        SyntheticCamera.deliver(1, to: camera.capture.session) { cameraFrame($0) }
        let info = try XCTUnwrap(sink.last)
        XCTAssertEqual(info.orientation.rotationAngle, one.angle, "\(one) \(how)")
        XCTAssertEqual(info.isMirrored, one.position == .front, "\(one) \(how)")
        XCTAssertEqual(info.previewTurn, .none, "\(one) \(how)")
        XCTAssertEqual(shown.angle.map(Double.init), one.angle, "\(one) \(how)")
    }

    @MainActor
    func testEveryDeviceInEveryHand() async throws {
        for one in cases {
            SyntheticCamera.become(one.model)
            let (camera, sink) = (Camera(CameraChoice(position: one.position)), InfoSink())
            // The preview is there before the camera, as at launch.
            SyntheticCamera.turn(to: one.held)
            let shown = Shown(camera)
            let run = Task { await camera.run(sink) }
            try await waitUntil("it runs") { camera.status == .running }
            try check(camera, shown, sink, one, "at launch")
            // A half turn changes no size, and lays nothing out.
            let turned: SyntheticAttitude = one.held == .portrait ? .upsideDown : .portrait
            SyntheticCamera.turn(to: turned)
            SyntheticCamera.turn(to: one.held)
            try check(camera, shown, sink, one, "after turns")
            run.cancel()
            await run.value
            XCTAssertEqual(SyntheticCamera.exceptions, [])
        }
    }

    @MainActor
    func testAFlipInLandscapeNeedsNoTurnToBeRight() async throws {
        for model in [SyntheticCamera.Model.iPhone15, .iPhone17, .iPad2024] {
            SyntheticCamera.become(model)
            SyntheticCamera.turn(to: .landscapeLeft)
            let (camera, sink) = (Camera(), InfoSink())
            let shown = Shown(camera)
            let run = Task { await camera.run(sink) }
            try await waitUntil("it runs") { camera.status == .running }
            for position in [CameraPosition.front, .back] {
                camera.choice.position = position
                try await waitUntil("it is the other") { camera.hasTorch == (position == .back) }
                let one = try XCTUnwrap(
                    cases.first { $0.held == .landscapeLeft && $0.position == position && ($0.model == model || position == .back) })
                try check(camera, shown, sink, one, "\(model) after a flip")
            }
            run.cancel()
            await run.value
        }
    }

    /// With the interface locked the detector still sees the world upright; boxes are turned to the preview.
    @MainActor
    func testALockedInterfaceTurnsTheBoxes() async throws {
        for position in [CameraPosition.back, .front] {
            SyntheticCamera.become(.iPhone15)
            let (camera, sink) = (Camera(CameraChoice(position: position)), InfoSink())
            let shown = Shown(camera)
            let run = Task { await camera.run(sink) }
            try await waitUntil("it runs") { camera.status == .running }
            SyntheticCamera.turn(to: .landscapeLeft, isLocked: true)
            SyntheticCamera.deliver(1, to: camera.capture.session) { cameraFrame($0) }
            let info = try XCTUnwrap(sink.last)
            XCTAssertEqual(info.orientation, position == .back ? .up : .down)
            XCTAssertEqual(shown.angle, 90)
            // A point of the sensor lies at the same place of the preview, by either way.
            let sensor = NormalizedBox(minX: 0.1, minY: 0.2, maxX: 0.3, maxY: 0.6)
            let seen = Self.shown(sensor, Double(shown.angle ?? 0), isMirrored: info.isMirrored)
            let detected = Self.shown(sensor, info.orientation.rotationAngle, isMirrored: info.isMirrored)
            let drawn = detected.turned(by: info.previewTurn)
            for (a, b) in [(seen.minX, drawn.minX), (seen.minY, drawn.minY), (seen.maxX, drawn.maxX), (seen.maxY, drawn.maxY)] {
                XCTAssertEqual(a, b, accuracy: 1e-6, "\(position)")
            }
            run.cancel()
            await run.value
        }
    }

    private static func shown(_ box: NormalizedBox, _ angle: Double, isMirrored: Bool) -> NormalizedBox {
        let turned = box.turned(by: QuarterTurn(degrees: angle))
        guard isMirrored else { return turned }
        return NormalizedBox(minX: 1 - turned.maxX, minY: turned.minY, maxX: 1 - turned.minX, maxY: turned.maxY)
    }
}
