import AVFoundation
import OspreyKit
import SwiftUI
import UIKit
import XCTest

@testable import Osprey
@testable import OspreyUI

/// A device for each test, on which nothing may be asked that the system would answer with an exception.
class DeviceTestCase: XCTestCase {
    override func setUp() {
        super.setUp()
        SyntheticCamera.become(.iPhone15)
    }

    override func tearDown() {
        XCTAssertEqual(SyntheticCamera.exceptions, [], "AVFoundation would have raised exceptions")
        super.tearDown()
    }
}

/// The default 420f frame: a gradient that is not the same along both axes.
func cameraFrame(_ number: Int, _ format: OSType = kCVPixelFormatType_420YpCbCr8BiPlanarFullRange) -> CVPixelBuffer {
    makePixelBuffer(320, 180, format) { plane, x, y in
        plane == 0 ? UInt8(truncatingIfNeeded: x + 2 * y + number) : 128
    }
}

@MainActor
func waited(for condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1200 where !condition() { try await Task.sleep(for: .milliseconds(50)) }
    return condition()
}

@MainActor
func waitUntil(_ what: String, file: StaticString = #filePath, line: UInt = #line, _ condition: () -> Bool) async throws {
    let isSo = try await waited(for: condition)
    XCTAssertTrue(isSo, what, file: file, line: line)
}

extension Camera {
    /// Every queue and task has come to rest.
    @MainActor
    func settled() async throws {
        for _ in 0..<40 {
            try await Task.sleep(for: .milliseconds(5))
            try await capture.idle()
        }
    }
}

extension CameraCapture {
    func idle() async throws { _ = try await onSessionQueue { 0 } }
}

/// Keeps what it was told last.
final class InfoSink: CameraFrameSink, @unchecked Sendable {
    private let lock = NSLock()
    private var infos: [CameraFrameInfo] = []

    var last: CameraFrameInfo? { lock.withLock { infos.last } }
    var count: Int { lock.withLock { infos.count } }

    func take(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo) {
        lock.withLock { infos.append(info) }
    }
}

/// A preview on screen.
@MainActor
struct Shown {
    let view: PreviewView
    let window = UIWindow()

    init(_ camera: Camera) {
        let preview = CameraPreview(camera)
        view = preview.makeUIView(context: .init())
        view.move(to: window)
    }

    var angle: CGFloat? { view.previewLayer.connection?.videoRotationAngle }
}
