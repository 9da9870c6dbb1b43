// Key-value observation of the properties that the project observes, which Foundation on Linux lacks.

import Foundation

public final class NSKeyValueObservation {
    private var end: (() -> Void)?
    init(_ end: @escaping () -> Void) { self.end = end }
    public func invalidate() {
        end?()
        end = nil
    }
    deinit { invalidate() }
}

public struct NSKeyValueObservingOptions: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let new = NSKeyValueObservingOptions(rawValue: 1)
    public static let initial = NSKeyValueObservingOptions(rawValue: 4)
}

public struct NSKeyValueObservedChange<Value> {}

extension AVCaptureDevice {
    public func observe<Value>(
        _ keyPath: KeyPath<AVCaptureDevice, Value>, options: NSKeyValueObservingOptions = [],
        changeHandler: @escaping @Sendable (AVCaptureDevice, NSKeyValueObservedChange<Value>) -> Void
    ) -> NSKeyValueObservation {
        let id = UUID()
        pressureObservers[id] = { [unowned self] in changeHandler(self, NSKeyValueObservedChange()) }
        if options.contains(.initial) { changeHandler(self, NSKeyValueObservedChange()) }
        return NSKeyValueObservation { [weak self] in self?.pressureObservers[id] = nil }
    }
}

extension AVCaptureDevice.RotationCoordinator {
    public func observe<Value>(
        _ keyPath: KeyPath<AVCaptureDevice.RotationCoordinator, Value>, options: NSKeyValueObservingOptions = [],
        changeHandler:
            @escaping @Sendable (AVCaptureDevice.RotationCoordinator, NSKeyValueObservedChange<Value>) -> Void
    ) -> NSKeyValueObservation {
        let id = UUID()
        observers[id] = { [unowned self] in changeHandler(self, NSKeyValueObservedChange()) }
        if options.contains(.initial) { changeHandler(self, NSKeyValueObservedChange()) }
        return NSKeyValueObservation { [weak self] in self?.observers[id] = nil }
    }
}
