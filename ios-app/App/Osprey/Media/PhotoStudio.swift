import CoreImage
import CoreVideo
import Foundation
import OspreyKit
import OspreyUI
import UIKit

/// A photo and what was found in it; boxes in fractions of the photo.
struct Photo: Sendable {
    var image: UIImage
    var objects: [TrackedObject]
}

/// Turns camera buffers into upright images. Any thread may call.
final class PhotoStudio: Sendable {
    // Made once: it takes tens of milliseconds.
    private let context = CIContext()

    /// The buffer upright by gravity, mirrored as the preview is.
    func upright(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo) -> UIImage? {
        let orientation = info.isMirrored ? info.orientation.mirrored : info.orientation
        let image = CIImage(cvPixelBuffer: pixelBuffer).oriented(forExifOrientation: Int32(orientation.rawValue))
        return context.createCGImage(image, from: image.extent).map { UIImage(cgImage: $0) }
    }
}

/// Draws boxes and labels at an image's own size, for what is shared and saved.
enum BoxPainter {
    /// The photo with its boxes.
    static func painted(_ photo: Photo, coloring: BoxColoring) -> UIImage {
        renderer(photo.image.size, isOpaque: true).image { _ in
            photo.image.draw(in: CGRect(origin: .zero, size: photo.image.size))
            paint(photo.objects, photo.image.size, coloring)
        }
    }

    /// The boxes alone, on nothing.
    static func overlay(_ objects: [TrackedObject], size: CGSize, coloring: BoxColoring) -> UIImage {
        renderer(size, isOpaque: false).image { _ in paint(objects, size, coloring) }
    }

    private static func renderer(_ size: CGSize, isOpaque: Bool) -> UIGraphicsImageRenderer {
        let format = UIGraphicsImageRendererFormat()
        (format.scale, format.opaque) = (1, isOpaque)
        return UIGraphicsImageRenderer(size: size, format: format)
    }

    private static func paint(_ objects: [TrackedObject], _ size: CGSize, _ coloring: BoxColoring) {
        let geometry = OverlayGeometry(picture: size, view: size, fitting: .fit)
        // As large in the image as on a phone's screen of 400 points.
        let point = min(size.width, size.height) / 400
        for object in objects {
            guard let rect = geometry.visibleRect(of: object.detection.box) else { continue }
            let tint = TrackColor(object, coloring)
            let color = UIColor(red: tint.red, green: tint.green, blue: tint.blue, alpha: 1)
            color.setStroke()
            let path = UIBezierPath(roundedRect: rect, cornerRadius: 4 * point)
            path.lineWidth = 3 * point
            path.stroke()
            let text = NSAttributedString(
                string: BoxLabel.text(object.detection),
                attributes: [
                    .font: UIFont.boldSystemFont(ofSize: 13 * point),
                    .foregroundColor: tint.wantsDarkText ? UIColor.black : UIColor.white,
                ])
            let measured = text.size()
            let label = CGSize(width: measured.width + 8 * point, height: measured.height + 4 * point)
            guard let origin = geometry.labelOrigin(for: object.detection.box, label: label) else { continue }
            color.setFill()
            UIBezierPath(roundedRect: CGRect(origin: origin, size: label), cornerRadius: 4 * point).fill()
            text.draw(at: CGPoint(x: origin.x + 4 * point, y: origin.y + 2 * point))
        }
    }
}
