import CoreVideo
import OspreyKit

/// What is known of a camera's buffer beside its pixels.
struct FrameFacts: Sendable {
    var orientation: FrameOrientation
    var isMirrored: Bool
    /// Nanoseconds on the capture clock.
    var timestamp: Int64
}

/// Takes frames on the capture queue. It must not keep the buffer: the camera has only a few.
protocol FrameSink: AnyObject, Sendable {
    func take(_ pixelBuffer: CVPixelBuffer, _ facts: FrameFacts)
}
