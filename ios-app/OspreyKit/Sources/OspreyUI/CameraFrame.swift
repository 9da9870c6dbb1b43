#if canImport(UIKit)
import CoreVideo
import OspreyKit

/// What is known of a camera's buffer besides its pixels.
public struct CameraFrameInfo: Sendable, Equatable {
    /// What turns the buffer upright by gravity: a model finds more in an image that stands upright.
    public var orientation: FrameOrientation
    /// Whether the preview shows it flipped left to right.
    public var isMirrored: Bool
    /// From the upright image to the one that the preview shows. Not `none` where the rotation of the
    /// interface is locked and the device is held another way.
    public var previewTurn: QuarterTurn
    /// Nanoseconds on the session's clock.
    public var timestamp: Int64
}

/// Takes frames on the camera's sample queue. It must not keep the buffer: the camera has only a few.
public protocol CameraFrameSink: AnyObject, Sendable {
    func take(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo)
}
#endif
