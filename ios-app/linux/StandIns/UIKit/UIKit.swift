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

@MainActor public class UIApplication: NSObject {
    public static let shared = UIApplication()
    public nonisolated static let openSettingsURLString = "app-settings:"
    public nonisolated static let didReceiveMemoryWarningNotification = Notification.Name("UIApplicationMemoryWarning")
    public var isIdleTimerDisabled = false
}

@MainActor public class UIWindow: UIView {}

public class CALayer: SyntheticLayer {
    public override required init() {}
}

@MainActor open class UIView: NSObject {
    open class var layerClass: AnyClass { CALayer.self }
    public private(set) lazy var layer: CALayer = ((type(of: self).layerClass as? CALayer.Type) ?? CALayer.self).init()
    public var bounds = CGRect(x: 0, y: 0, width: 390, height: 844)
    public private(set) weak var window: UIWindow?
    public override init() {}
    open func didMoveToWindow() {}

    /// Not of Apple's interface.
    public func move(to window: UIWindow?) {
        self.window = window
        didMoveToWindow()
    }
}

public final class AVCaptureVideoPreviewLayer: CALayer, SyntheticPreview {
    public var session: AVCaptureSession? {
        willSet { if session !== newValue { session?.remove(preview: self) } }
        didSet { if session !== oldValue { session?.add(preview: self) } }
    }
    public var videoGravity = AVLayerVideoGravity.resizeAspectFill
    public var formed: AVCaptureConnection?
    public var connection: AVCaptureConnection? { formed }
    /// The sensor's rows run across; a layer that is upright has them turned.
    public func captureDevicePointConverted(fromLayerPoint point: CGPoint) -> CGPoint {
        CGPoint(x: point.y / 844, y: 1 - point.x / 390)
    }
}

public final class UIImage: Sendable, Equatable {
    public let size: CGSize
    public init(cgImage: CGImage) { size = CGSize(width: cgImage.width, height: cgImage.height) }
    init(size: CGSize) { self.size = size }
    public func draw(in rect: CGRect) {}
    public var cgImage: CGImage? { CGImage(Int(size.width), Int(size.height)) }
    public static func == (a: UIImage, b: UIImage) -> Bool { a === b }
}

public final class UIColor: Sendable {
    public static let black = UIColor(red: 0, green: 0, blue: 0, alpha: 1)
    public static let white = UIColor(red: 1, green: 1, blue: 1, alpha: 1)
    public init(red: CGFloat, green: CGFloat, blue: CGFloat, alpha: CGFloat) {}
    public func setFill() {}
    public func setStroke() {}
}

public final class UIFont: Sendable {
    public let pointSize: CGFloat
    init(_ size: CGFloat) { pointSize = size }
    public class func boldSystemFont(ofSize size: CGFloat) -> UIFont { UIFont(size) }
}

public class UIBezierPath {
    public var lineWidth: CGFloat = 1
    public init(roundedRect rect: CGRect, cornerRadius: CGFloat) {}
    public func stroke() {}
    public func fill() {}
}

public class UIGraphicsImageRendererFormat {
    public var scale: CGFloat = 3
    public var opaque = false
    public init() {}
}

public class UIGraphicsImageRendererContext {}

public class UIGraphicsImageRenderer {
    private let size: CGSize
    public init(size: CGSize, format: UIGraphicsImageRendererFormat) { self.size = size }
    public func image(actions: (UIGraphicsImageRendererContext) -> Void) -> UIImage {
        actions(UIGraphicsImageRendererContext())
        return UIImage(size: size)
    }
}

extension NSAttributedString.Key {
    public static let font = NSAttributedString.Key("NSFont")
    public static let foregroundColor = NSAttributedString.Key("NSColor")
}

extension NSAttributedString {
    /// As wide as an average letter is.
    public func size() -> CGSize {
        let font = attribute(.font, at: 0, effectiveRange: nil) as? UIFont
        let point = font?.pointSize ?? 12
        return CGSize(width: Double(length) * point * 0.55, height: point * 1.2)
    }
    public func draw(at point: CGPoint) {}
}

// Parts of Apple's Foundation that Linux lacks.

extension ProcessInfo {
    public enum ThermalState: Int, Sendable { case nominal = 0, fair, serious, critical }
    public var thermalState: ThermalState { .nominal }
    public var isLowPowerModeEnabled: Bool { false }
}

extension String {
    /// Linux has no catalogue of strings: the key is the text.
    public init(localized key: String.LocalizationValue) { self = key.text }

    public struct LocalizationValue: ExpressibleByStringInterpolation {
        let text: String
        public init(stringLiteral text: String) { self.text = text }
    }
}

extension URL {
    public func startAccessingSecurityScopedResource() -> Bool { false }
    public func stopAccessingSecurityScopedResource() {}
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
