/// Rows of bytes that are lent for the duration of a call.
public struct PixelPlane {
    public var bytes: UnsafeRawBufferPointer
    public var bytesPerRow: Int

    public init(bytes: UnsafeRawBufferPointer, bytesPerRow: Int) {
        (self.bytes, self.bytesPerRow) = (bytes, bytesPerRow)
    }
}

/// How YUV levels become colours.
public enum YUVColor: UInt8, Sendable, CaseIterable {
    case bt601Full = 0, bt601Video, bt709Full, bt709Video
}

/// How a picture lies in memory.
public enum PixelLayout {
    case bgra(PixelPlane)
    case rgba(PixelPlane)
    case rgb(PixelPlane)
    case gray(PixelPlane)
    /// Luma, then interleaved chroma at half size: `420f` and `420v`.
    case biplanar(luma: PixelPlane, chroma: PixelPlane, color: YUVColor)
}

/// A picture that is lent, with all that is needed to see it upright. It must not outlive the memory:
/// make it where the memory is locked, and pass it straight on.
public struct PixelFrame {
    public var layout: PixelLayout
    /// Size in memory, before the orientation is applied.
    public var width, height: Int
    public var orientation: FrameOrientation
    /// Flipped left to right after it was turned upright, as the viewer of a mirrored preview sees it.
    public var isMirrored: Bool
    /// On any clock that rises, in nanoseconds.
    public var timestamp: Int64
    /// The part of the upright picture that is looked at; results stay in coordinates of the whole.
    public var region: NormalizedBox?

    public init(
        _ layout: PixelLayout, width: Int, height: Int, orientation: FrameOrientation = .up,
        isMirrored: Bool = false, timestamp: Int64, region: NormalizedBox? = nil
    ) {
        (self.layout, self.width, self.height) = (layout, width, height)
        (self.orientation, self.isMirrored) = (orientation, isMirrored)
        (self.timestamp, self.region) = (timestamp, region)
    }
}
