#if canImport(UIKit)
import AVFoundation

/// Why the system took the camera away. It gives it back by itself.
public enum CameraInterruption: Sendable, Equatable {
    case background
    /// Another app, or a call.
    case otherClient
    /// Several apps share the screen of an iPad.
    case sharedScreen
    /// Heat, or too little power.
    case systemPressure
    case sensitiveContent
    case unknown

    init(_ reason: Int?) {
        self =
            switch reason.flatMap(AVCaptureSession.InterruptionReason.init(rawValue:)) {
            case .videoDeviceNotAvailableInBackground: .background
            case .audioDeviceInUseByAnotherClient, .videoDeviceInUseByAnotherClient: .otherClient
            case .videoDeviceNotAvailableWithMultipleForegroundApps: .sharedScreen
            case .videoDeviceNotAvailableDueToSystemPressure: .systemPressure
            default: reason == Self.sensitiveContentReason ? .sensitiveContent : .unknown
            }
    }

    /// `sensitiveContentMitigationActivated`, by number: its name is newer than iOS 17.
    private static let sensitiveContentReason = 6

    /// The sentence to show.
    public var message: String {
        switch self {
        case .background: "The camera rests in the background."
        case .otherClient: "Another app or a call is using the camera."
        case .sharedScreen: "The camera is off while several apps share the screen."
        case .systemPressure: "The camera is off until the device has cooled down."
        case .sensitiveContent: "The camera is off because of sensitive content."
        case .unknown: "The camera is interrupted."
        }
    }
}
#endif
