// Stands in for Apple's CoreImage on Linux.

import CoreVideo
import Foundation

public final class CGImage: Sendable {
    public let width, height: Int
    init(_ width: Int, _ height: Int) { (self.width, self.height) = (width, height) }
}

public final class CIImage: Sendable {
    public let extent: CGRect

    public init(cvPixelBuffer: CVPixelBuffer) {
        extent = CGRect(
            x: 0, y: 0, width: CVPixelBufferGetWidth(cvPixelBuffer), height: CVPixelBufferGetHeight(cvPixelBuffer))
    }

    init(extent: CGRect) { self.extent = extent }

    public func oriented(forExifOrientation orientation: Int32) -> CIImage {
        CIImage(
            extent: orientation < 5
                ? extent : CGRect(x: 0, y: 0, width: extent.height, height: extent.width))
    }
}

public final class CIContext: Sendable {
    public init() {}
    public func createCGImage(_ image: CIImage, from rect: CGRect) -> CGImage? {
        CGImage(Int(rect.width), Int(rect.height))
    }
}
