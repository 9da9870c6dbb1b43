#if canImport(UIKit)
@preconcurrency import AVFoundation
import CoreMedia
import Foundation
import OspreyKit

/// What came of a configuration.
struct CameraSetup: @unchecked Sendable {
    // AVCaptureDevice may be read from any thread; it is changed on the session queue, while locked.
    let device: AVCaptureDevice
    let framesPerSecond: Int
}

/// How the device is held and how the interface stands: clockwise angles from the sensor's rows.
struct CaptureAngles: Sendable, Equatable {
    /// To upright by gravity.
    var capture: Double
    /// To what the preview shows; `nil` if there is no preview.
    var preview: Double?
    /// Whether the preview flips it left to right.
    var isMirrored: Bool
}

/// The capture session. Configuration has a queue of its own, apart from the frames': a stop need not wait
/// behind a frame, and a frame not behind a configuration.
final class CameraCapture: NSObject, @unchecked Sendable {
    let session = AVCaptureSession()
    private let sessionQueue = DispatchQueue(label: "osprey.camera.session", qos: .userInitiated)
    private let sampleQueue = DispatchQueue(
        label: "osprey.camera.samples", qos: .userInitiated, autoreleaseFrequency: .workItem)
    private let output = AVCaptureVideoDataOutput()
    /// On the session queue alone.
    private var input: AVCaptureDeviceInput?

    /// Guards what follows: the main actor writes it, the sample queue reads it.
    private let lock = NSLock()
    private weak var sink: (any CameraFrameSink)?
    private var angles = CaptureAngles(capture: 90, preview: nil, isMirrored: false)
    private var dropped = 0

    /// Configures what differs from before, and runs.
    func start(_ choice: CameraChoice) async throws -> CameraSetup {
        try await onSessionQueue {
            let setup = try self.configure(choice)
            if !self.session.isRunning { self.session.startRunning() }
            return setup
        }
    }

    func stop() async {
        try? await onSessionQueue { if self.session.isRunning { self.session.stopRunning() } }
    }

    func send(to sink: (any CameraFrameSink)?) {
        lock.withLock { self.sink = sink }
    }

    func turn(_ angles: CaptureAngles) {
        lock.withLock { self.angles = angles }
    }

    /// Frames that the camera itself dropped so far.
    var droppedFrames: Int { lock.withLock { dropped } }

    /// Changes a setting of the device in use: `change` runs on the session queue while the device is locked.
    func adjust(_ change: @escaping @Sendable (AVCaptureDevice) -> Void) {
        sessionQueue.async {
            guard let device = self.input?.device, (try? device.lockForConfiguration()) != nil else { return }
            change(device)
            device.unlockForConfiguration()
        }
    }

    func onSessionQueue<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            sessionQueue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private func configure(_ choice: CameraChoice) throws -> CameraSetup {
        guard let device = CameraDevices.device(at: choice.position) else {
            throw CameraError.missing(choice.position)
        }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        try use(device)
        try addOutput()
        return CameraSetup(device: device, framesPerSecond: try setFormat(of: device, rate: choice.framesPerSecond))
    }

    /// Another rate leaves the input as it is: replacing it costs up to half a second of black.
    private func use(_ device: AVCaptureDevice) throws {
        if let input, input.device.uniqueID == device.uniqueID { return }
        let next: AVCaptureDeviceInput
        do {
            next = try AVCaptureDeviceInput(device: device)
        } catch {
            throw CameraError.unusable(error.localizedDescription)
        }
        let former = input
        if let former { session.removeInput(former) }
        guard session.canAddInput(next) else {
            if let former, session.canAddInput(former) { session.addInput(former) } else { input = nil }
            leaveUnturned()
            throw CameraError.unusable("the session takes no input from \(device.localizedName)")
        }
        session.addInput(next)
        input = next
        leaveUnturned()
    }

    private func addOutput() throws {
        guard !session.outputs.contains(output) else { return }
        guard session.canAddOutput(output) else { throw CameraError.unusable("the session takes no video output") }
        output.videoSettings = [
            kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
        ]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(self, queue: sampleQueue)
        session.addOutput(output)
        leaveUnturned()
    }

    /// Buffers as the sensor gives them. On iPads since 2024 the front camera's connection turns each by 180°
    /// unless it is told not to. The connection is made with the input and with the output: told each time.
    private func leaveUnturned() {
        guard let connection = output.connection(with: .video) else { return }
        if connection.isVideoRotationAngleSupported(0) { connection.videoRotationAngle = 0 }
    }

    /// Format and durations apply together when the configuration is committed. The session's preset stays
    /// out of it: preset and format exclude each other.
    private func setFormat(of device: AVCaptureDevice, rate: Int) throws -> Int {
        guard let best = CameraFormat.best(of: device.formats.map(CameraFormat.Facts.init), rate: rate) else {
            throw CameraError.unusable("\(device.localizedName) lists no format")
        }
        do {
            try device.lockForConfiguration()
        } catch {
            throw CameraError.unusable(error.localizedDescription)
        }
        best.apply(to: device)
        // Another format begins at the widest lens.
        device.videoZoomFactor = CGFloat(CameraDevices.unit(of: device))
        device.unlockForConfiguration()
        return Int(best.framesPerSecond.rounded())
    }
}

extension CameraCapture: AVCaptureVideoDataOutputSampleBufferDelegate {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let pixels = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        let (sink, angles) = lock.withLock { (self.sink, self.angles) }
        let time = CMTimeConvertScale(
            CMSampleBufferGetPresentationTimeStamp(sampleBuffer), timescale: 1_000_000_000, method: .default)
        // What the connection did turn and flip after all need not be done again.
        let remaining = angles.capture - Double(connection.videoRotationAngle)
        let turn = QuarterTurn(degrees: (angles.preview ?? angles.capture) - angles.capture)
        sink?.take(
            pixels,
            CameraFrameInfo(
                orientation: FrameOrientation(rotationAngle: remaining) ?? .up,
                isMirrored: angles.isMirrored != connection.isVideoMirrored,
                // The image is flipped before it is turned, which turns it the other way.
                previewTurn: angles.isMirrored ? turn.inverse : turn, timestamp: time.value))
    }

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        lock.withLock { dropped += 1 }
    }
}
#endif
