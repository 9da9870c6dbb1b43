#if canImport(UIKit)
import CoreVideo
import Foundation
import OspreyKit

/// Hands the camera's frames to a detector, and to whoever else looks at them.
final class DetectionSink: CameraFrameSink, @unchecked Sendable {
    /// Sees a frame on the sample queue; must not keep the buffer.
    typealias Tap = @Sendable (CVPixelBuffer, CameraFrameInfo) -> Void

    /// Frames whose results may still come.
    private static let remembered = 16

    // Guarded by the lock.
    private let lock = NSLock()
    private var detector: LiveDetector?
    private var tap: Tap?
    private var once: Tap?
    private var region: NormalizedBox?
    private var failure: OspreyError?
    private var turns: [(timestamp: Int64, turn: QuarterTurn)] = []

    func use(_ detector: LiveDetector?) { lock.withLock { self.detector = detector } }

    /// Every frame from now on.
    func tap(_ tap: Tap?) { lock.withLock { self.tap = tap } }

    /// The next frame alone.
    func onNextFrame(_ tap: @escaping Tap) { lock.withLock { once = tap } }

    /// Detects in this part of the image as the preview shows it.
    func look(at region: NormalizedBox?) { lock.withLock { self.region = region } }

    /// The last frame's error, once.
    func takeFailure() -> OspreyError? {
        lock.withLock {
            defer { failure = nil }
            return failure
        }
    }

    /// The turn from a frame's boxes to the preview.
    func turn(at timestamp: Int64) -> QuarterTurn {
        lock.withLock { (turns.last { $0.timestamp == timestamp } ?? turns.last)?.turn ?? .none }
    }

    func take(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo) {
        let (detector, tap, once, region) = lock.withLock {
            defer { self.once = nil }
            if turns.count == Self.remembered { turns.removeFirst() }
            turns.append((info.timestamp, info.previewTurn))
            return (self.detector, self.tap, self.once, self.region)
        }
        do {
            try detector?.submit(
                pixelBuffer, orientation: info.orientation, isMirrored: info.isMirrored, timestamp: info.timestamp,
                region: region?.turned(by: info.previewTurn.inverse))
        } catch {
            lock.withLock { failure = error }
        }
        tap?(pixelBuffer, info)
        once?(pixelBuffer, info)
    }
}
#endif
