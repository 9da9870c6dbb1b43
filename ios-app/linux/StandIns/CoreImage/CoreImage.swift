// Stands in for Apple's CoreImage on Linux.

import CoreVideo
import Foundation

public final class CGImage: Sendable {
    public let width, height: Int
    /// Not of Apple's interface.
    public init(_ width: Int, _ height: Int) { (self.width, self.height) = (width, height) }
}

public final class CIImage: Sendable {
    public let extent: CGRect

    public init(cvPixelBuffer: CVPixelBuffer) {
        extent = CGRect(
            x: 0, y: 0, width: CVPixelBufferGetWidth(cvPixelBuffer), height: CVPixelBufferGetHeight(cvPixelBuffer))
    }

    init(extent: CGRect) { self.extent = extent }

    public init(cgImage: CGImage) {
        extent = CGRect(x: 0, y: 0, width: cgImage.width, height: cgImage.height)
    }

    /// Portable graymaps alone: width and height in the first line after P5.
    public init?(data: Data, options: [CIImageOption: Any]? = nil) {
        let words = String(decoding: data.prefix(32), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count > 2, words[0] == "P5", let width = Int(words[1]), let height = Int(words[2]) else { return nil }
        extent = CGRect(x: 0, y: 0, width: width, height: height)
    }

    public func transformed(by transform: CGAffineTransform) -> CIImage {
        CIImage(extent: CGRect(x: 0, y: 0, width: extent.width * transform.x, height: extent.height * transform.y))
    }

    public func composited(over image: CIImage) -> CIImage { image }

    public func oriented(forExifOrientation orientation: Int32) -> CIImage {
        CIImage(
            extent: orientation < 5
                ? extent : CGRect(x: 0, y: 0, width: extent.height, height: extent.width))
    }
}

public struct CIImageOption: Sendable, Hashable { public static let applyOrientationProperty = CIImageOption() }

/// A scale, of which Foundation on Linux has no type.
public struct CGAffineTransform: Sendable {
    let x, y: CGFloat
    public init(scaleX x: CGFloat, y: CGFloat) { (self.x, self.y) = (x, y) }
}

public final class CIContext: Sendable {
    public init() {}
    public func render(_ image: CIImage, to buffer: CVPixelBuffer) {}
    public func createCGImage(_ image: CIImage, from rect: CGRect) -> CGImage? {
        CGImage(Int(rect.width), Int(rect.height))
    }
}
