// Stands in for Apple's CoreMedia on Linux.

@_exported import CoreVideo

public typealias CMTimeScale = Int32
public typealias CMTimeValue = Int64

public enum CMTimeRoundingMethod: Sendable { case `default` }

public struct CMTime: Sendable {
    public var value: CMTimeValue
    public var timescale: CMTimeScale

    public init(value: CMTimeValue, timescale: CMTimeScale) {
        (self.value, self.timescale) = (value, timescale)
    }
}

public func CMTimeConvertScale(_ time: CMTime, timescale: Int32, method: CMTimeRoundingMethod) -> CMTime {
    CMTime(value: time.value * Int64(timescale) / Int64(time.timescale), timescale: timescale)
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
