import CoreVideo
import OspreyKit

/// Finds objects in photos; any thread may call.
actor PhotoReader {
    private var detector: ImageDetector?

    /// Labels of what the upright image shows, best first.
    func labels(in image: CVPixelBuffer) throws -> [String] {
        let detector = try detector ?? ImageDetector(model: Model(for: .detection))
        self.detector = detector
        return try detector.detect(image).map(\.label)
    }
}
