import CoreVideo
import Foundation
import OspreyKit

/// Hands frames to the detector, and one to whoever asked for a picture.
final class DetectionSink: FrameSink, @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var detector: LiveDetector?
    private var wanted: (@Sendable (CVPixelBuffer, FrameFacts) -> Void)?
    private var failure: OspreyError?

    func use(_ detector: LiveDetector?) {
        lock.withLock { self.detector = detector }
    }

    /// `body` gets the next frame, on the capture queue.
    func onNextFrame(_ body: @escaping @Sendable (CVPixelBuffer, FrameFacts) -> Void) {
        lock.withLock { wanted = body }
    }

    /// The last frame's error, once.
    func takeFailure() -> OspreyError? {
        lock.withLock {
            defer { failure = nil }
            return failure
        }
    }

    func take(_ pixelBuffer: CVPixelBuffer, _ facts: FrameFacts) {
        let (detector, body) = lock.withLock {
            defer { wanted = nil }
            return (self.detector, wanted)
        }
        do {
            try detector?.submit(
                pixelBuffer, orientation: facts.orientation, isMirrored: facts.isMirrored,
                timestamp: facts.timestamp)
        } catch {
            lock.withLock { failure = error }
        }
        body?(pixelBuffer, facts)
    }
}
