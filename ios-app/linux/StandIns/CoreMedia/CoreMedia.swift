// Stands in for Apple's CoreMedia on Linux.

@_exported import CoreVideo

public typealias CMTimeScale = Int32
public typealias CMTimeValue = Int64

public enum CMTimeRoundingMethod: Sendable { case `default` }

public struct CMTime: Sendable, CustomStringConvertible {
    public var value: CMTimeValue
    public var timescale: CMTimeScale

    public init(value: CMTimeValue, timescale: CMTimeScale) {
        (self.value, self.timescale) = (value, timescale)
    }

    public var seconds: Double { Double(value) / Double(timescale) }
    public var description: String { "\(value)/\(timescale) s" }
}

public func CMTimeConvertScale(_ time: CMTime, timescale: Int32, method: CMTimeRoundingMethod) -> CMTime {
    CMTime(value: time.value * Int64(timescale) / Int64(time.timescale), timescale: timescale)
}

public func CMTimeCompare(_ a: CMTime, _ b: CMTime) -> Int32 {
    let x = a.value.multipliedFullWidth(by: Int64(b.timescale)), y = b.value.multipliedFullWidth(by: Int64(a.timescale))
    return (x.high, x.low) < (y.high, y.low) ? -1 : (x.high, x.low) > (y.high, y.low) ? 1 : 0
}

public func CMTimeMaximum(_ a: CMTime, _ b: CMTime) -> CMTime { CMTimeCompare(a, b) < 0 ? b : a }
public func CMTimeMinimum(_ a: CMTime, _ b: CMTime) -> CMTime { CMTimeCompare(a, b) > 0 ? b : a }
public final class CMClock: Sendable {
    /// Not of Apple's interface.
    public static let synthetic = CMClock()
    /// Not of Apple's interface: set by whoever delivers frames.
    nonisolated(unsafe) public static var time = CMTime(value: 0, timescale: 1000)
}

public func CMClockGetTime(_ clock: CMClock) -> CMTime { CMClock.time }

public final class CMFormatDescription: Sendable {
    let mediaSubType: OSType
    let width, height: Int32

    /// Not of Apple's interface.
    public init(mediaSubType: OSType, width: Int32, height: Int32) {
        (self.mediaSubType, self.width, self.height) = (mediaSubType, width, height)
    }
}

public struct CMVideoDimensions: Sendable { public var width, height: Int32 }

public func CMFormatDescriptionGetMediaSubType(_ description: CMFormatDescription) -> OSType { description.mediaSubType }
public func CMVideoFormatDescriptionGetDimensions(_ description: CMFormatDescription) -> CMVideoDimensions {
    CMVideoDimensions(width: description.width, height: description.height)
}

public final class CMSampleBuffer {
    let image: CVImageBuffer?
    let time: CMTime

    /// Not of Apple's interface.
    public init(image: CVImageBuffer?, time: CMTime) {
        (self.image, self.time) = (image, time)
    }
}

public func CMSampleBufferGetImageBuffer(_ buffer: CMSampleBuffer) -> CVImageBuffer? { buffer.image }
public func CMSampleBufferGetPresentationTimeStamp(_ buffer: CMSampleBuffer) -> CMTime { buffer.time }
