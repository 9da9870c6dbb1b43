import Foundation

/// Where a picture lies in a view, and with it every box: pure functions.
public struct OverlayGeometry: Sendable, Equatable {
    /// How a picture of another shape goes into a view.
    public enum Fitting: Sendable {
        /// Covers the view; what juts out is cut off: `AVLayerVideoGravity.resizeAspectFill`.
        case fill
        /// Lies whole within the view.
        case fit
    }

    /// Size of the upright picture in pixels, and of the view in points.
    public var picture, view: CGSize
    public var fitting: Fitting

    public init(picture: CGSize, view: CGSize, fitting: Fitting = .fill) {
        (self.picture, self.view, self.fitting) = (picture, view, fitting)
    }

    /// Where the whole picture lies in the view's coordinates; zero for an empty picture or view.
    public var pictureRect: CGRect {
        guard picture.width > 0, picture.height > 0, view.width > 0, view.height > 0 else { return .zero }
        let (x, y) = (view.width / picture.width, view.height / picture.height)
        let scale = fitting == .fill ? max(x, y) : min(x, y)
        let (width, height) = (picture.width * scale, picture.height * scale)
        return CGRect(
            x: (view.width - width) / 2, y: (view.height - height) / 2, width: width, height: height)
    }

    /// A box in the view's coordinates; may reach beyond the view.
    public func rect(of box: NormalizedBox) -> CGRect {
        let whole = pictureRect
        return CGRect(
            x: whole.minX + Double(box.minX) * whole.width, y: whole.minY + Double(box.minY) * whole.height,
            width: Double(box.width) * whole.width, height: Double(box.height) * whole.height)
    }

    /// The part of a box that can be seen; nil where there is none.
    public func visibleRect(of box: NormalizedBox) -> CGRect? {
        let rect = rect(of: box)
        let (minX, minY) = (max(rect.minX, 0), max(rect.minY, 0))
        let (maxX, maxY) = (min(rect.maxX, view.width), min(rect.maxY, view.height))
        return minX < maxX && minY < maxY ? CGRect(x: minX, y: minY, width: maxX - minX, height: maxY - minY) : nil
    }

    /// A point of the view in fractions of the picture; nil outside of it.
    public func fraction(at point: CGPoint) -> CGPoint? {
        let whole = pictureRect
        guard whole.width > 0, whole.height > 0 else { return nil }
        let at = CGPoint(x: (point.x - whole.minX) / whole.width, y: (point.y - whole.minY) / whole.height)
        return (0...1).contains(at.x) && (0...1).contains(at.y) ? at : nil
    }

    /// Where a label of this size goes: above the visible box, inside it where there is no room above,
    /// and never beyond `safe`, the part of the view that nothing covers; `nil` for all of it.
    public func labelOrigin(for box: NormalizedBox, label: CGSize, within safe: CGRect? = nil) -> CGPoint? {
        guard let rect = visibleRect(of: box) else { return nil }
        let safe = safe ?? CGRect(origin: .zero, size: view)
        let x = max(safe.minX, min(rect.minX, safe.maxX - label.width))
        let above = rect.minY - label.height
        let lowest = max(safe.minY, safe.maxY - label.height)
        return CGPoint(x: x, y: min(above >= safe.minY ? above : max(rect.minY, safe.minY), lowest))
    }

    /// The part of the picture that the view shows.
    public var visibleRegion: NormalizedBox {
        let whole = pictureRect
        guard whole.width > 0, whole.height > 0 else { return NormalizedBox(minX: 0, minY: 0, maxX: 1, maxY: 1) }
        let (x, y) = (max(-whole.minX, 0) / whole.width, max(-whole.minY, 0) / whole.height)
        return NormalizedBox(minX: Float(x), minY: Float(y), maxX: Float(1 - x), maxY: Float(1 - y))
    }

    /// The smallest of the boxes under a finger.
    public func hit(_ point: CGPoint, among boxes: [NormalizedBox]) -> Int? {
        boxes.indices
            .filter { visibleRect(of: boxes[$0]).map { $0.minX <= point.x && point.x <= $0.maxX && $0.minY <= point.y && point.y <= $0.maxY } ?? false }
            .min { boxes[$0].width * boxes[$0].height < boxes[$1].width * boxes[$1].height }
    }
}

/// What decides the colour of a box.
public enum BoxColoring: String, Sendable, CaseIterable {
    case byIdentity, byClass
}

/// A colour that stays with a number: neighbours in number lie far apart on the colour circle.
public struct TrackColor: Sendable, Equatable {
    /// 0 to 1 each, in sRGB.
    public var red, green, blue: Double

    public init(id: UInt64) {
        // The golden ratio spreads any run of numbers evenly over the circle.
        let hue = (Double(id % 1_000_003) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
        let channel = { (n: Double) -> Double in
            let k = (n + hue * 6).truncatingRemainder(dividingBy: 6)
            return 0.95 * (1 - 0.75 * max(0, min(k, 4 - k, 1)))
        }
        (red, green, blue) = (channel(5), channel(3), channel(1))
    }

    public init(_ object: TrackedObject, _ coloring: BoxColoring) {
        self.init(id: coloring == .byIdentity ? object.id : UInt64(max(object.detection.classID, 0)))
    }

    /// Relative luminance by WCAG 2.2, 0 to 1.
    public var luminance: Double {
        let linear = { (c: Double) in c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4) }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// Whether black text reads better on this colour than white. The better one has a contrast of at least
    /// 4.5:1 on any colour, as WCAG 2.2 asks for text of this size.
    public var wantsDarkText: Bool { (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) }
}
