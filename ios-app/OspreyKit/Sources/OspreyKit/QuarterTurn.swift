import Foundation

/// A clockwise turn by a multiple of 90°: from the image that the detector sees, which stands upright by
/// gravity, to the image as a preview shows it, which follows the interface.
public enum QuarterTurn: Int, Sendable, CaseIterable {
    case none = 0
    case clockwise = 90
    case half = 180
    case counterclockwise = 270

    /// The turn nearest to `degrees`, clockwise; `none` for what is not finite.
    public init(degrees: Double) {
        guard degrees.isFinite else {
            self = .none
            return
        }
        let quarters = Int((degrees / 90).rounded().truncatingRemainder(dividingBy: 4))
        self = [.none, .clockwise, .half, .counterclockwise][(quarters + 4) % 4]
    }

    public var degrees: Double { Double(rawValue) }

    /// Whether width and height change places.
    public var swapsAxes: Bool { self == .clockwise || self == .counterclockwise }

    /// The turn that undoes this one.
    public var inverse: QuarterTurn { QuarterTurn(degrees: -degrees) }

    /// The size of an image of this size after the turn.
    public func size(of image: CGSize) -> CGSize {
        swapsAxes ? CGSize(width: image.height, height: image.width) : image
    }
}

extension NormalizedBox {
    /// This box, in fractions of the image after it was turned.
    public func turned(by turn: QuarterTurn) -> NormalizedBox {
        switch turn {
        case .none: self
        case .clockwise: NormalizedBox(minX: 1 - maxY, minY: minX, maxX: 1 - minY, maxY: maxX)
        case .half: NormalizedBox(minX: 1 - maxX, minY: 1 - maxY, maxX: 1 - minX, maxY: 1 - minY)
        case .counterclockwise: NormalizedBox(minX: minY, minY: 1 - maxX, maxX: maxY, maxY: 1 - minX)
        }
    }
}

extension TrackedObject {
    /// This object with its box turned.
    public func turned(by turn: QuarterTurn) -> TrackedObject {
        var object = self
        object.detection.box = detection.box.turned(by: turn)
        return object
    }
}
