internal import OspreyBridge

/// Which classes are reported, by label (any case) or number.
public enum ClassFilter: Sendable, Equatable {
    case all
    case only([String])
    case except([String])
}

/// How overlapping boxes are thinned out.
public enum Suppression: UInt8, Sendable {
    /// The rule of the model's file.
    case fromModel = 0
    case perClass, classAgnostic, soft
}

/// What a detector is asked for.
public struct DetectorOptions: Sendable, Equatable {
    /// Least score that is reported, 0 to 1; nil for the model's own.
    public var scoreThreshold: Float?
    /// Least scores of single classes, by label or number.
    public var classThresholds: [String: Float] = [:]
    public var classes: ClassFilter = .all
    public var maxDetections = 100
    public var suppression: Suppression = .fromModel
    /// IoU above which the weaker of two boxes goes; nil for the model's own.
    public var iouThreshold: Float?
    /// Threads of one run; 0 for as many as the device has performance cores, at most four.
    public var threads = 0
    /// Whether objects keep identities.
    public var isTracking = true
    /// Results older than this are left out and counted as stale.
    public var maxAge: Duration?
    /// Reduces pictures with care for small objects, as files are, rather than as fast as can be.
    public var isAntialiased = false
    /// Runs the model once before the first frame.
    public var warmsUp = true

    public init() {}

    func values() throws(OspreyError) -> SessionOptions {
        let options = session_options()
        if let scoreThreshold { options.set_score_threshold(scoreThreshold) }
        for (name, threshold) in classThresholds {
            options.set_class_threshold(name, threshold)
        }
        switch classes {
        case .all: break
        case .only(let names): names.forEach { options.allow_class($0) }
        case .except(let names): names.forEach { options.deny_class($0) }
        }
        if case .only(let names) = classes, names.isEmpty {
            throw .options("no class is allowed; name one, or pause the detector")
        }
        options.set_max_detections(UInt32(clamping: maxDetections))
        try crossing { try options.set_suppression(suppression.rawValue, iouThreshold ?? -1) }
        options.set_threads(UInt32(clamping: threads))
        options.set_tracking(isTracking)
        options.set_max_age_ms(UInt32(clamping: maxAge.map { $0.milliseconds } ?? 0))
        options.set_antialiased(isAntialiased)
        options.set_warm_up(warmsUp)
        return options
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
