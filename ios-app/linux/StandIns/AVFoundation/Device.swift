// Stands in for Apple's AVFoundation on Linux: capture devices. What AVFoundation refuses by an Objective-C
// exception is written down in `SyntheticCamera.exceptions`; the rules are those of Apple's documentation.

@_exported import CoreMedia
import Foundation

public struct AVMediaType: Sendable, Equatable {
    let name: String
    public static let video = AVMediaType(name: "vide")
}

public class AVCaptureDevice: NSObject, @unchecked Sendable {
    public enum Position: Int, Sendable { case unspecified = 0, back, front }
    public enum TorchMode: Int, Sendable { case off = 0, on, auto }
    public enum FocusMode: Int, Sendable { case locked = 0, autoFocus, continuousAutoFocus }
    public enum ExposureMode: Int, Sendable { case locked = 0, autoExpose, continuousAutoExposure, custom }

    public struct DeviceType: Sendable, Equatable {
        let name: String
        public static let builtInWideAngleCamera = DeviceType(name: "wide")
        public static let builtInUltraWideCamera = DeviceType(name: "ultra-wide")
        public static let builtInTripleCamera = DeviceType(name: "triple")
        public static let builtInDualWideCamera = DeviceType(name: "dual wide")
        public static let builtInDualCamera = DeviceType(name: "dual")
    }

    public final class Format: Sendable {
        public let formatDescription: CMFormatDescription
        public let videoSupportedFrameRateRanges: [AVFrameRateRange]
        public let isVideoBinned: Bool

        /// Not of Apple's interface.
        public init(_ width: Int32, _ height: Int32, _ type: OSType, _ rates: [ClosedRange<Double>], isBinned: Bool = false) {
            formatDescription = CMFormatDescription(mediaSubType: type, width: width, height: height)
            videoSupportedFrameRateRanges = rates.map { AVFrameRateRange($0) }
            isVideoBinned = isBinned
        }
    }

    public final class SystemPressureState: Sendable {
        public struct Level: Sendable, Equatable {
            let rank: Int
            public static let nominal = Level(rank: 0)
            public static let fair = Level(rank: 1)
            public static let serious = Level(rank: 2)
            public static let critical = Level(rank: 3)
            public static let shutdown = Level(rank: 4)
        }
        public let level: Level
        init(_ level: Level) { self.level = level }
    }

    let model: SyntheticCamera.Model
    public let position: Position
    public let deviceType: DeviceType
    public let constituentDevices: [AVCaptureDevice]
    public let virtualDeviceSwitchOverVideoZoomFactors: [NSNumber]
    public let formats: [Format]
    public var uniqueID: String { "\(position) \(deviceType.name)" }
    public var localizedName: String { "the \(position) camera" }
    public var hasTorch: Bool { position == .back }
    public var isTorchAvailable: Bool { hasTorch }
    public var isFocusPointOfInterestSupported: Bool { position == .back }
    public var isExposurePointOfInterestSupported: Bool { true }
    private let lock = NSRecursiveLock()
    private var locks = 0
    var pressureObservers: [UUID: () -> Void] = [:]
    private var pressure = SystemPressureState(.nominal)

    init(_ model: SyntheticCamera.Model, _ position: Position, _ type: DeviceType, zoomSteps: [Double] = []) {
        (self.model, self.position, deviceType, formats) = (model, position, type, model.formats)
        virtualDeviceSwitchOverVideoZoomFactors = zoomSteps.map { NSNumber(value: $0) }
        constituentDevices = zoomSteps.isEmpty ? [] : [
            AVCaptureDevice(model, position, .builtInUltraWideCamera), AVCaptureDevice(model, position, .builtInWideAngleCamera),
        ]
        format = formats[0]
        (shortest, longest) = Self.durations(of: formats[0])
    }

    public class func requestAccess(for mediaType: AVMediaType) async -> Bool { await SyntheticCamera.ask() }

    public class func `default`(_ type: DeviceType, for mediaType: AVMediaType?, position: Position)
        -> AVCaptureDevice?
    { SyntheticCamera.devices.first { $0.position == position && $0.deviceType == type } }

    public func lockForConfiguration() throws {
        lock.lock()
        locks += 1
    }

    public func unlockForConfiguration() {
        locks -= 1
        lock.unlock()
    }

    private func change(_ name: String, _ isAllowed: Bool = true, _ body: () -> Void) {
        if locks == 0 { SyntheticCamera.raise("\(name) is changed of a device that is not locked") }
        if isAllowed { body() } else { SyntheticCamera.raise("\(name) is not supported") }
    }

    // MARK: Format

    private var format: Format
    private var shortest, longest: CMTime

    /// A preset's format, with the durations that it begins with.
    func setPresetFormat(_ format: Format) {
        self.format = format
        (shortest, longest) = Self.durations(of: format)
    }

    private static func durations(of format: Format) -> (CMTime, CMTime) {
        let rate = min(format.videoSupportedFrameRateRanges.map(\.maxFrameRate).max() ?? 30, 30)
        return (CMTime(value: 1, timescale: Int32(rate)), CMTime(value: 1, timescale: Int32(rate)))
    }

    public var activeFormat: Format {
        get { format }
        set {
            change("a format of another device", formats.contains { $0 === newValue }) {
                setPresetFormat(newValue)
                zoomFactor = 1
                SyntheticCamera.sessions.forEach { $0.formatWasSet(on: self) }
            }
        }
    }

    private func isSupported(_ duration: CMTime) -> Bool {
        format.videoSupportedFrameRateRanges.contains {
            CMTimeCompare($0.minFrameDuration, duration) <= 0 && CMTimeCompare(duration, $0.maxFrameDuration) <= 0
        }
    }

    public var activeVideoMinFrameDuration: CMTime {
        get { shortest }
        set { change("the frame duration \(newValue)", isSupported(newValue)) { shortest = newValue } }
    }

    public var activeVideoMaxFrameDuration: CMTime {
        get { longest }
        set { change("the frame duration \(newValue)", isSupported(newValue)) { longest = newValue } }
    }

    // MARK: Lens, light, pressure

    private var zoomFactor: CGFloat = 1
    public var minAvailableVideoZoomFactor: CGFloat { 1 }
    public var maxAvailableVideoZoomFactor: CGFloat { 16 }
    public var videoZoomFactor: CGFloat {
        get { zoomFactor }
        set { change("the zoom \(newValue)", (1...16).contains(newValue)) { zoomFactor = newValue } }
    }

    private var torch = TorchMode.off
    public func isTorchModeSupported(_ mode: TorchMode) -> Bool { hasTorch }
    public var torchMode: TorchMode {
        get { torch }
        set { change("the torch", hasTorch) { torch = newValue } }
    }

    private var focusPoint = CGPoint.zero, exposurePoint = CGPoint.zero
    public func isFocusModeSupported(_ mode: FocusMode) -> Bool { isFocusPointOfInterestSupported }
    public func isExposureModeSupported(_ mode: ExposureMode) -> Bool { true }
    public var focusPointOfInterest: CGPoint {
        get { focusPoint }
        set { change("the point of focus", isFocusPointOfInterestSupported) { focusPoint = newValue } }
    }
    public var exposurePointOfInterest: CGPoint {
        get { exposurePoint }
        set { change("the point of exposure") { exposurePoint = newValue } }
    }
    public var focusMode = FocusMode.continuousAutoFocus
    public var exposureMode = ExposureMode.continuousAutoExposure

    public var systemPressureState: SystemPressureState { pressure }

    /// Not of Apple's interface.
    public func press(_ level: SystemPressureState.Level) {
        pressure = SystemPressureState(level)
        pressureObservers.values.forEach { $0() }
    }
}

public final class AVFrameRateRange: Sendable {
    public let minFrameRate, maxFrameRate: Double
    public let minFrameDuration, maxFrameDuration: CMTime

    init(_ range: ClosedRange<Double>) {
        (minFrameRate, maxFrameRate) = (range.lowerBound, range.upperBound)
        minFrameDuration = CMTime(value: 1000, timescale: Int32(range.upperBound * 1000))
        maxFrameDuration = CMTime(value: 1000, timescale: Int32(range.lowerBound * 1000))
    }
}
