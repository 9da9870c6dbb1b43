// Stands in for Apple's UIKit on Linux, with the preview layer of AVFoundation, which needs its CALayer.

import AVFoundation
@_exported import CoreImage
@_exported import Foundation

@MainActor public final class UIDevice: NSObject {
    public enum BatteryState: Int, Sendable { case unknown = 0, unplugged, charging, full }

    public static let current = UIDevice()
    public nonisolated static let orientationDidChangeNotification = Notification.Name("UIDeviceOrientationDidChange")

    public var isBatteryMonitoringEnabled = false
    public var batteryLevel: Float = -1
    public var batteryState = BatteryState.unknown
    public var orientation = UIDeviceOrientation.portrait
    public let systemName = "Linux"
    public let systemVersion = "0"
    public func beginGeneratingDeviceOrientationNotifications() {}
    public func endGeneratingDeviceOrientationNotifications() {}
}

public enum UIDeviceOrientation: Int, Sendable {
    case unknown = 0, portrait, portraitUpsideDown, landscapeLeft, landscapeRight, faceUp, faceDown
}

public enum UIInterfaceOrientation: Int, Sendable {
    case unknown = 0, portrait, portraitUpsideDown, landscapeRight, landscapeLeft
}

@MainActor public class UIApplication: NSObject {
    public nonisolated static let didReceiveMemoryWarningNotification = Notification.Name("UIApplicationMemoryWarning")
}

@MainActor public class UIWindowScene: NSObject {
    public var interfaceOrientation = UIInterfaceOrientation.portrait
    public override init() {}
}

@MainActor public class UIWindow: UIView {
    public var windowScene: UIWindowScene?
}

@MainActor public class CALayer: NSObject {
    public nonisolated override required init() {}
}

@MainActor open class UIView: NSObject {
    open class var layerClass: AnyClass { CALayer.self }
    public private(set) lazy var layer: CALayer = ((type(of: self).layerClass as? CALayer.Type) ?? CALayer.self).init()
    public var window: UIWindow?
    public func setNeedsLayout() { layoutSubviews() }
    public override init() {}
    open func layoutSubviews() {}
}

@MainActor public final class AVCaptureVideoPreviewLayer: CALayer {
    public var session: AVCaptureSession?
    public var videoGravity = AVLayerVideoGravity.resizeAspectFill
    public var connection: AVCaptureConnection? = AVCaptureConnection()
}

public final class UIImage: Sendable {
    public let size: CGSize
    public init(cgImage: CGImage) { size = CGSize(width: cgImage.width, height: cgImage.height) }
}

// Parts of Apple's Foundation that Linux lacks.

extension ProcessInfo {
    public enum ThermalState: Int, Sendable { case nominal = 0, fair, serious, critical }
    public var thermalState: ThermalState { .nominal }
    public var isLowPowerModeEnabled: Bool { false }
}

extension URL {
    public static var applicationSupportDirectory: URL { FileManager.default.temporaryDirectory }
}

extension NotificationCenter {
    /// Every posting from now on.
    public func notifications(named name: Notification.Name) -> AsyncStream<Notification.Name> {
        AsyncStream { continuation in
            nonisolated(unsafe) let token = addObserver(forName: name, object: nil, queue: nil) { _ in
                continuation.yield(name)
            }
            continuation.onTermination = { _ in NotificationCenter.default.removeObserver(token) }
        }
    }
}
