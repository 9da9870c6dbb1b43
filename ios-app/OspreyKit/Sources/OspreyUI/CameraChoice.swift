import Foundation
import OspreyKit

/// What a camera is asked for.
public struct CameraChoice: Sendable, Equatable {
    public var position: CameraPosition
    /// Images per second, at best; `Camera.framesPerSecond` says what the device gives.
    public var framesPerSecond: Int

    public init(position: CameraPosition = .back, framesPerSecond: Int = 30) {
        (self.position, self.framesPerSecond) = (position, framesPerSecond)
    }
}

/// Why there is no camera.
public enum CameraError: Error, Equatable, LocalizedError {
    /// The user, or a profile on the device, does not allow it.
    case denied
    case missing(CameraPosition)
    /// The session refuses; the text says what.
    case unusable(String)

    public var errorDescription: String? {
        switch self {
        case .denied: "Camera access is off. Turn it on in Settings to detect objects."
        case .missing(.back): "This device has no back camera."
        case .missing(.front): "This device has no front camera."
        case .unusable(let what): "The camera cannot be used: \(what)."
        }
    }
}
