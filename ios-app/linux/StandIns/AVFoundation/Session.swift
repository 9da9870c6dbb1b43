// Stands in for Apple's AVFoundation on Linux: session, inputs, outputs, connections.

import Foundation

public class AVCaptureInput: NSObject {}

public class AVCaptureDeviceInput: AVCaptureInput {
    public let device: AVCaptureDevice
    public init(device: AVCaptureDevice) throws { self.device = device }
}

public class AVCaptureOutput: NSObject {
    var connection: AVCaptureConnection?
    public func connection(with mediaType: AVMediaType) -> AVCaptureConnection? { connection }
}

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

/// One is made when input and output (or preview) meet, and goes with the input.
public class AVCaptureConnection: NSObject, @unchecked Sendable {
    private var angle: CGFloat
    public var isVideoMirrored: Bool

    init(angle: CGFloat, isMirrored: Bool) { (self.angle, isVideoMirrored) = (angle, isMirrored) }

    public func isVideoRotationAngleSupported(_ angle: CGFloat) -> Bool { [0, 90, 180, 270].contains(angle) }
    public var videoRotationAngle: CGFloat {
        get { angle }
        set {
            if isVideoRotationAngleSupported(newValue) { angle = newValue } else { SyntheticCamera.raise("an angle of \(newValue)") }
        }
    }
}

/// A preview layer as the session knows it; the layer itself is UIKit's, which has its superclass.
public protocol SyntheticPreview: AnyObject {
    var formed: AVCaptureConnection? { get set }
}

public class AVCaptureSession: NSObject, @unchecked Sendable {
    public struct Preset: Sendable, Equatable {
        let name: String
        public static let high = Preset(name: "high")
        public static let hd1280x720 = Preset(name: "720")
        public static let inputPriority = Preset(name: "input")
    }

    public enum InterruptionReason: Int, Sendable {
        case videoDeviceNotAvailableInBackground = 1, audioDeviceInUseByAnotherClient, videoDeviceInUseByAnotherClient
        case videoDeviceNotAvailableWithMultipleForegroundApps, videoDeviceNotAvailableDueToSystemPressure
    }

    public static let wasInterruptedNotification = Notification.Name("AVCaptureSessionWasInterrupted")
    public static let interruptionEndedNotification = Notification.Name("AVCaptureSessionInterruptionEnded")
    public static let runtimeErrorNotification = Notification.Name("AVCaptureSessionRuntimeError")

    public private(set) var inputs: [AVCaptureInput] = []
    public private(set) var outputs: [AVCaptureOutput] = []
    public private(set) var isRunning = false
    public var synchronizationClock: CMClock? { inputs.isEmpty ? nil : .synthetic }
    private var preset = Preset.high
    private var presetIsNew = false
    private var depth = 0
    /// Weak, in the order in which they came. The first alone is fed.
    private var previews: [() -> (any SyntheticPreview)?] = []
    /// How often an input was added: each shows as black for a moment.
    public private(set) var inputChanges = 0

    public override init() {
        super.init()
        SyntheticCamera.sessions.append(self)
    }

    public func beginConfiguration() { depth += 1 }

    public func commitConfiguration() {
        depth -= 1
        guard depth == 0, presetIsNew else { return }
        presetIsNew = false
        guard preset != .inputPriority else { return }
        // A preset's format is one of 30 images per second, whatever others the device has.
        inputs.compactMap { ($0 as? AVCaptureDeviceInput)?.device }.forEach { device in
            if let format = device.formats.first { device.setPresetFormat(format) }
        }
    }

    public var sessionPreset: Preset {
        get { preset }
        set {
            (preset, presetIsNew) = (newValue, true)
            if depth == 0 {
                depth = 1
                commitConfiguration()
            }
        }
    }

    func formatWasSet(on device: AVCaptureDevice) {
        guard inputs.contains(where: { ($0 as? AVCaptureDeviceInput)?.device === device }) else { return }
        (preset, presetIsNew) = (.inputPriority, false)
    }

    public func canSetSessionPreset(_ preset: Preset) -> Bool { true }
    public func canAddInput(_ input: AVCaptureInput) -> Bool { inputs.isEmpty && !SyntheticCamera.refusesInputs }

    public func addInput(_ input: AVCaptureInput) {
        guard canAddInput(input) else { return SyntheticCamera.raise("an input is added that the session does not take") }
        inputs.append(input)
        inputChanges += 1
        if let device = (input as? AVCaptureDeviceInput)?.device, preset != .inputPriority, let format = device.formats.first {
            device.setPresetFormat(format)
        }
        connect()
    }

    public func removeInput(_ input: AVCaptureInput) {
        inputs.removeAll { $0 === input }
        outputs.forEach { $0.connection = nil }
        previews.forEach { $0()?.formed = nil }
    }

    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { !outputs.contains { $0 === output } }

    public func addOutput(_ output: AVCaptureOutput) {
        guard canAddOutput(output) else { return SyntheticCamera.raise("an output is added twice") }
        outputs.append(output)
        connect()
    }

    private func connect() {
        guard let device = inputs.lazy.compactMap({ ($0 as? AVCaptureDeviceInput)?.device }).first else { return }
        for output in outputs where output.connection == nil {
            output.connection = AVCaptureConnection(angle: device.model.outputAngle(device.position), isMirrored: false)
        }
        for preview in previews.compactMap({ $0() }) where preview.formed == nil {
            preview.formed = AVCaptureConnection(angle: 90, isMirrored: device.position == .front)
        }
    }

    public func startRunning() {
        if Thread.isMainThread { SyntheticCamera.raise("the session is started on the main thread, which waits") }
        if depth > 0 { SyntheticCamera.raise("the session is started between begin and commit") }
        isRunning = true
    }

    public func stopRunning() {
        if depth > 0 { SyntheticCamera.raise("the session is stopped between begin and commit") }
        isRunning = false
    }

    public func add(preview: any SyntheticPreview) {
        previews.append { [weak preview] in preview }
        connect()
    }

    public func remove(preview: any SyntheticPreview) {
        preview.formed = nil
        previews.removeAll { $0() == nil || $0() === preview }
    }

    /// Whether this preview moves; another that came before it keeps it still.
    public func feeds(_ preview: any SyntheticPreview) -> Bool {
        isRunning && !inputs.isEmpty && previews.compactMap { $0() }.first === preview
    }
}

public let AVCaptureSessionInterruptionReasonKey = "AVCaptureSessionInterruptionReasonKey"
public let AVCaptureSessionErrorKey = "AVCaptureSessionErrorKey"

public struct AVError: Error, LocalizedError {
    public enum Code: Int, Sendable { case unknown = -11800, mediaServicesWereReset = -11819, deviceWasDisconnected = -11808 }
    public let code: Code
    public var errorDescription: String? { "error \(code.rawValue)" }
    /// Not of Apple's interface.
    public init(_ code: Code) { self.code = code }
}

public struct AVLayerVideoGravity: Sendable {
    public static let resizeAspectFill = AVLayerVideoGravity()
}
