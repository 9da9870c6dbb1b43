// A camera without a camera; nothing in here is of Apple's interface.

import Foundation

/// How a device is held, or how its interface stands.
public enum SyntheticAttitude: Sendable, CaseIterable {
    case portrait, landscapeLeft, landscapeRight, upsideDown
}

public enum SyntheticCamera {
    /// Devices whose sensors lie differently.
    public enum Model: Sendable, CaseIterable {
        /// Sensors along the long edge.
        case iPhone15
        /// The front sensor is square and stands upright.
        case iPhone17
        /// The front camera is on the long edge; its data output turns frames by half a turn unless told not to.
        case iPad2024
        /// No format of more than 30 images per second.
        case slow

        /// The clockwise angle that levels the horizon: as Apple gives it for each device.
        func angle(_ position: AVCaptureDevice.Position, _ attitude: SyntheticAttitude) -> CGFloat {
            let back: CGFloat = switch attitude {
            case .portrait: 90
            case .landscapeLeft: 0
            case .landscapeRight: 180
            case .upsideDown: 270
            }
            guard position == .front else { return back }
            let front = (540 - back).truncatingRemainder(dividingBy: 360)
            return switch self {
            case .iPhone15, .slow: front
            case .iPhone17: (front + 270).truncatingRemainder(dividingBy: 360)
            case .iPad2024: (front + 180).truncatingRemainder(dividingBy: 360)
            }
        }

        func outputAngle(_ position: AVCaptureDevice.Position) -> CGFloat {
            self == .iPad2024 && position == .front ? 180 : 0
        }

        var formats: [AVCaptureDevice.Format] {
            let full = kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
            let video = kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
            let slow = [AVCaptureDevice.Format(1280, 720, video, [1...30]), .init(1280, 720, full, [1...30])]
            if self == .slow { return slow }
            return slow + [
                .init(1280, 720, full, [1...60], isBinned: true), .init(1920, 1080, full, [1...30]),
                .init(1920, 1080, full, [1...60]), .init(1920, 1440, full, [1...60]), .init(640, 480, full, [1...60]),
            ]
        }
    }

    public enum Permission: Sendable { case granted, refused, unanswered }

    private static let lock = NSRecursiveLock()
    nonisolated(unsafe) private static var answers: [CheckedContinuation<Bool, Never>] = []
    nonisolated(unsafe) private static var raised: [String] = []
    nonisolated(unsafe) public static var permission = Permission.granted
    nonisolated(unsafe) public static var refusesInputs = false
    nonisolated(unsafe) static var sessions: [AVCaptureSession] = []
    nonisolated(unsafe) static var coordinators: [() -> AVCaptureDevice.RotationCoordinator?] = []
    nonisolated(unsafe) private(set) static var devices = made(.iPhone15)
    nonisolated(unsafe) private(set) static var held = SyntheticAttitude.portrait
    nonisolated(unsafe) private(set) static var interface = SyntheticAttitude.portrait

    private static func made(_ model: Model) -> [AVCaptureDevice] {
        [
            AVCaptureDevice(model, .back, .builtInTripleCamera, zoomSteps: [2, 6]),
            AVCaptureDevice(model, .back, .builtInWideAngleCamera),
            AVCaptureDevice(model, .front, .builtInWideAngleCamera),
        ]
    }

    /// Another device, upright in a hand that allows everything.
    public static func become(_ model: Model) {
        devices = made(model)
        (permission, refusesInputs, raised, sessions) = (.granted, false, [], [])
        (held, interface) = (.portrait, .portrait)
        CMClock.time = CMTime(value: 0, timescale: 1000)
    }

    public static func device(_ position: AVCaptureDevice.Position) -> AVCaptureDevice {
        devices.first { $0.position == position } ?? devices[0]
    }

    /// Turns the device; the interface follows unless its rotation is locked.
    @MainActor public static func turn(to attitude: SyntheticAttitude, isLocked: Bool = false) {
        held = attitude
        if !isLocked { interface = attitude }
        coordinators.compactMap { $0() }.forEach { $0.observers.values.forEach { $0() } }
    }

    /// What the system would have raised as exceptions.
    public static var exceptions: [String] { lock.withLock { raised } }
    static func raise(_ what: String) { lock.withLock { raised.append(what) } }

    public static var isAsking: Bool { lock.withLock { !answers.isEmpty } }

    static func ask() async -> Bool {
        switch permission {
        case .granted: return true
        case .refused: return false
        case .unanswered:
            return await withCheckedContinuation { continuation in lock.withLock { answers.append(continuation) } }
        }
    }

    /// The user answers the system's question.
    public static func answer(_ isAllowed: Bool) {
        permission = isAllowed ? .granted : .refused
        let asked = lock.withLock {
            defer { answers = [] }
            return answers
        }
        asked.forEach { $0.resume(returning: isAllowed) }
    }

    /// Delivers frames on the output's queue, as a camera would, and returns when the delegate has had them.
    /// Nothing where the session does not run. `every` milliseconds, the first at `every`.
    public static func deliver(
        _ count: Int, to session: AVCaptureSession, every milliseconds: Int64 = 33, frame: (Int) -> CVPixelBuffer
    ) {
        guard session.isRunning else { return }
        for case let output as AVCaptureVideoDataOutput in session.outputs {
            guard let connection = output.connection else { continue }
            for number in 0..<count {
                let time = CMTime(value: Int64(number + 1) * milliseconds, timescale: 1000)
                CMClock.time = time
                let sample = CMSampleBuffer(image: frame(number), time: time)
                output.queue?.sync {
                    output.delegate?.captureOutput(output, didOutput: sample, from: connection)
                }
            }
        }
    }

    /// A frame that the camera drops itself.
    public static func drop(from session: AVCaptureSession) {
        for case let output as AVCaptureVideoDataOutput in session.outputs {
            guard let connection = output.connection else { continue }
            let sample = CMSampleBuffer(image: nil, time: CMTime(value: 0, timescale: 1000))
            output.queue?.sync { output.delegate?.captureOutput(output, didDrop: sample, from: connection) }
        }
    }
}
