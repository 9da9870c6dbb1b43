// Stands in for Apple's AVFoundation on Linux. `SyntheticCamera` delivers frames through the same delegate
// that a camera would call.

@_exported import CoreMedia
import Foundation

public struct AVMediaType: Sendable, Equatable {
    public static let video = AVMediaType()
}

public class AVCaptureDevice: NSObject {
    public enum Position: Int, Sendable { case unspecified = 0, back, front }

    public struct DeviceType: Sendable {
        public static let builtInWideAngleCamera = DeviceType()
    }

    public final class Format {
        public let videoSupportedFrameRateRanges = [AVFrameRateRange()]
    }

    public let position: Position
    public let activeFormat = Format()
    public var activeVideoMinFrameDuration = CMTime(value: 1, timescale: 30)
    public var activeVideoMaxFrameDuration = CMTime(value: 1, timescale: 30)

    init(_ position: Position) { self.position = position }

    public class func requestAccess(for mediaType: AVMediaType) async -> Bool { SyntheticCamera.isAllowed }

    public class func `default`(_ type: DeviceType, for mediaType: AVMediaType?, position: Position)
        -> AVCaptureDevice?
    { AVCaptureDevice(position) }

    public func lockForConfiguration() throws {}
    public func unlockForConfiguration() {}
}

public final class AVFrameRateRange {
    public let maxFrameRate = 60.0
}

public class AVCaptureInput: NSObject {}

public class AVCaptureDeviceInput: AVCaptureInput {
    public let device: AVCaptureDevice
    public init(device: AVCaptureDevice) throws { self.device = device }
}

public class AVCaptureOutput: NSObject {}

public class AVCaptureVideoDataOutput: AVCaptureOutput {
    public var videoSettings: [String: Any]! = [:]
    public var alwaysDiscardsLateVideoFrames = true
    weak var delegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?
    var queue: DispatchQueue?

    public override init() {}

    public func setSampleBufferDelegate(
        _ delegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?, queue: DispatchQueue?
    ) {
        (self.delegate, self.queue) = (delegate, queue)
    }
}

public protocol AVCaptureVideoDataOutputSampleBufferDelegate: AnyObject {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)
    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)
}

public class AVCaptureConnection: NSObject {
    public override init() {}
    public var videoRotationAngle: CGFloat = 0
    public func isVideoRotationAngleSupported(_ angle: CGFloat) -> Bool { true }
}

public class AVCaptureSession: NSObject {
    public struct Preset: Sendable {
        public static let hd1280x720 = Preset()
    }

    public static let wasInterruptedNotification = Notification.Name("AVCaptureSessionWasInterrupted")
    public static let interruptionEndedNotification = Notification.Name("AVCaptureSessionInterruptionEnded")
    public static let runtimeErrorNotification = Notification.Name("AVCaptureSessionRuntimeError")

    public private(set) var inputs: [AVCaptureInput] = []
    public private(set) var outputs: [AVCaptureOutput] = []
    public private(set) var isRunning = false
    public var sessionPreset = Preset.hd1280x720

    public override init() {}
    public func beginConfiguration() {}
    public func commitConfiguration() {}
    public func canSetSessionPreset(_ preset: Preset) -> Bool { true }
    public func canAddInput(_ input: AVCaptureInput) -> Bool { inputs.isEmpty }
    public func addInput(_ input: AVCaptureInput) { inputs.append(input) }
    public func removeInput(_ input: AVCaptureInput) { inputs.removeAll { $0 === input } }
    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { true }
    public func addOutput(_ output: AVCaptureOutput) { outputs.append(output) }
    public func startRunning() { isRunning = true }
    public func stopRunning() { isRunning = false }
}

public struct AVLayerVideoGravity: Sendable {
    public static let resizeAspectFill = AVLayerVideoGravity()
}

/// Frames without a camera; not of Apple's interface.
public enum SyntheticCamera {
    nonisolated(unsafe) public static var isAllowed = true

    /// Delivers frames on the output's queue, as a camera would, and returns when the delegate has had them.
    /// Nothing where the session does not run.
    public static func deliver(
        _ count: Int, to session: AVCaptureSession, every milliseconds: Int64 = 33, frame: (Int) -> CVPixelBuffer
    ) {
        guard session.isRunning else { return }
        for case let output as AVCaptureVideoDataOutput in session.outputs {
            for number in 0..<count {
                let time = CMTime(value: Int64(number + 1) * milliseconds, timescale: 1000)
                let sample = CMSampleBuffer(image: frame(number), time: time)
                output.queue?.sync {
                    output.delegate?.captureOutput(output, didOutput: sample, from: AVCaptureConnection())
                }
            }
        }
    }
}
