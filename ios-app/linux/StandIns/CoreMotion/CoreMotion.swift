// Stands in for Apple's CoreMotion on Linux. `SyntheticMotion` moves every manager that listens.

import Foundation

public struct CMAcceleration: Sendable { public var x, y, z: Double }
public struct CMRotationRate: Sendable { public var x, y, z: Double }

public final class CMAttitude: NSObject {
    public var roll: Double { 0 }
    public var pitch: Double { 0 }
    public var yaw: Double { 0 }
}

public class CMDeviceMotion: NSObject {
    public let timestamp: TimeInterval
    public let gravity = CMAcceleration(x: 0, y: -1, z: 0)
    public let userAcceleration: CMAcceleration
    public let rotationRate = CMRotationRate(x: 0, y: 0, z: 0)
    public let attitude = CMAttitude()

    init(_ timestamp: TimeInterval, _ x: Double) {
        self.timestamp = timestamp
        userAcceleration = CMAcceleration(x: x, y: 0, z: 0)
    }
}

public typealias CMDeviceMotionHandler = (CMDeviceMotion?, (any Error)?) -> Void

public class CMMotionManager: NSObject {
    public var isDeviceMotionAvailable: Bool { true }
    public var deviceMotionUpdateInterval: TimeInterval = 0

    public override init() { SyntheticMotion.made() }

    public func startDeviceMotionUpdates(to queue: OperationQueue, withHandler handler: @escaping CMDeviceMotionHandler) {
        SyntheticMotion.listen(ObjectIdentifier(self), deviceMotionUpdateInterval, handler)
    }

    public func stopDeviceMotionUpdates() {
        SyntheticMotion.leave(ObjectIdentifier(self))
    }
}

/// Motion without sensors; not of Apple's interface.
public enum SyntheticMotion {
    private static let lock = NSLock()
    nonisolated(unsafe) private static var handlers: [ObjectIdentifier: CMDeviceMotionHandler] = [:]

    nonisolated(unsafe) private static var count = 0
    nonisolated(unsafe) private static var lastInterval: TimeInterval = 0

    static func made() { lock.withLock { count += 1 } }

    static func listen(_ id: ObjectIdentifier, _ interval: TimeInterval, _ handler: @escaping CMDeviceMotionHandler) {
        lock.withLock { (handlers[id], lastInterval) = (handler, interval) }
    }

    /// How many managers were ever made, and the interval that was asked for last.
    public static var managers: Int { lock.withLock { count } }
    public static var interval: TimeInterval { lock.withLock { lastInterval } }

    static func leave(_ id: ObjectIdentifier) {
        lock.withLock { handlers[id] = nil }
    }

    public static var listeners: Int { lock.withLock { handlers.count } }

    public static func move(at time: TimeInterval, x: Double) {
        let all = lock.withLock { Array(handlers.values) }
        all.forEach { $0(CMDeviceMotion(time, x), nil) }
    }
}
