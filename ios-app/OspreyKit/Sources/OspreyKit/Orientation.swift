/// What must be done to stored pixels to see them upright, with the values of EXIF and the names of
/// `CGImagePropertyOrientation`.
public enum FrameOrientation: UInt8, Sendable, CaseIterable {
    case up = 1, upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left

    /// Whether the upright picture's width is the stored picture's height.
    public var swapsAxes: Bool { rawValue >= 5 }

    /// Degrees by which the stored picture is turned clockwise, before any flip left to right.
    public var rotationAngle: Double {
        switch self {
        case .up, .upMirrored: 0
        case .right, .leftMirrored: 90
        case .down, .downMirrored: 180
        case .left, .rightMirrored: 270
        }
    }

    /// This orientation, then a flip left to right.
    public var mirrored: FrameOrientation {
        switch self {
        case .up: .upMirrored
        case .upMirrored: .up
        case .down: .downMirrored
        case .downMirrored: .down
        case .leftMirrored: .right
        case .right: .leftMirrored
        case .rightMirrored: .left
        case .left: .rightMirrored
        }
    }
}

/// Where a camera looks.
public enum CameraPosition: Sendable, CaseIterable {
    case back, front
}

/// How a device is held, with the cases of `UIDeviceOrientation`.
public enum DeviceOrientation: Int, Sendable, CaseIterable {
    case unknown = 0, portrait, portraitUpsideDown, landscapeLeft, landscapeRight, faceUp, faceDown
}

extension FrameOrientation {
    /// The orientation of a camera's buffers that the capture connection does not turn, for how the
    /// device is held; nil where that says nothing (flat on a table), and the last one should stay.
    ///
    /// Sensors lie along the long edge: the back camera's rows are level in `landscapeLeft` (home
    /// indicator to the right), the front camera's in `landscapeRight`.
    public init?(camera: CameraPosition, device: DeviceOrientation) {
        switch (camera, device) {
        case (_, .portrait): self = .right
        case (_, .portraitUpsideDown): self = .left
        case (.back, .landscapeLeft), (.front, .landscapeRight): self = .up
        case (.back, .landscapeRight), (.front, .landscapeLeft): self = .down
        case (_, .unknown), (_, .faceUp), (_, .faceDown): return nil
        }
    }

    /// The orientation for a clockwise angle in degrees, as `AVCaptureDevice.RotationCoordinator`
    /// gives it; nil for what is no quarter turn.
    public init?(rotationAngle: Double) {
        guard rotationAngle.isFinite else { return nil }
        let turns = (rotationAngle / 90).rounded()
        guard abs(rotationAngle - 90 * turns) < 1 else { return nil }
        let quarter = Int(turns.truncatingRemainder(dividingBy: 4) + 4) % 4
        self = [.up, .right, .down, .left][quarter]
    }
}
