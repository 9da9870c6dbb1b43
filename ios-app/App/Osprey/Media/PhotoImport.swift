import CoreImage
import CoreVideo
import Foundation
import OspreyKit
import UIKit

/// Opens an image file's bytes and detects in it.
struct PhotoImport: Sendable {
    enum Failure: Error, LocalizedError {
        case unreadable

        var errorDescription: String? { String(localized: "This file is not an image that can be opened.") }
    }

    /// Larger images are reduced to this many pixels along their longer side: more than a screen shows.
    static let longestSide = 4096.0

    let detector: ImageDetector

    /// The image, upright, with what is in it. Takes about a tenth of a second: not for the main thread.
    func photo(from data: Data) throws -> Photo {
        guard let image = CIImage(data: data, options: [.applyOrientationProperty: true]),
            image.extent.width >= 1, image.extent.height >= 1
        else { throw Failure.unreadable }
        let scale = min(Self.longestSide / max(image.extent.width, image.extent.height), 1)
        let fitted = image.transformed(by: CGAffineTransform(scaleX: scale, y: scale))
        let (width, height) = (Int(fitted.extent.width), Int(fitted.extent.height))
        var made: CVPixelBuffer?
        let attributes: [String: Any] = [kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any]()]
        CVPixelBufferCreate(nil, width, height, kCVPixelFormatType_32BGRA, attributes as CFDictionary, &made)
        let context = CIContext()
        guard let made, let shown = context.createCGImage(fitted, from: fitted.extent) else { throw Failure.unreadable }
        context.render(fitted, to: made)
        let objects = try detector.detect(made).enumerated().map { index, detection in
            TrackedObject(id: UInt64(index), detection: detection, age: 0, unseen: 0)
        }
        return Photo(image: UIImage(cgImage: shown), objects: objects)
    }
}
