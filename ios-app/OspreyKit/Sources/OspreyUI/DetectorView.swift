#if canImport(UIKit)
import OspreyKit
import SwiftUI
import UIKit

/// A live camera with the boxes of what it sees: all that an app needs for a detector on screen.
///
///     DetectorView()
///
/// The app's Info.plist must have `NSCameraUsageDescription`. Model and options are those of the view's first
/// appearance; give the view another identity (`.id`) for others.
public struct DetectorView: View {
    @State private var camera: Camera
    @State private var detection: LiveDetection
    @Environment(\.scenePhase) private var scenePhase
    private let onResult: (@MainActor (DetectionResult) -> Void)?

    /// `model`: `nil` for the built-in detector. `onResult` hears of each result.
    public init(
        model: Model? = nil, options: DetectorOptions = LiveDetection.defaultOptions,
        camera choice: CameraChoice = CameraChoice(), onResult: (@MainActor (DetectionResult) -> Void)? = nil
    ) {
        _camera = State(wrappedValue: Camera(choice))
        _detection = State(wrappedValue: LiveDetection(model: model, options: options))
        self.onResult = onResult
    }

    public var body: some View {
        ZStack {
            CameraPreview(camera).ignoresSafeArea()
            LiveOverlay(detection)
            DetectorProblem(camera: camera, detection: detection)
        }
        .background(Color.black)
        .task(id: RunKey(isActive: scenePhase != .background, attempts: detection.attempts)) {
            if scenePhase != .background { await detection.run(on: camera) }
        }
        .onChange(of: detection.result?.sequence) {
            if let result = detection.result { onResult?(result) }
        }
    }

    private struct RunKey: Equatable {
        var isActive: Bool
        var attempts: Int
    }
}

/// The boxes of a live detection, moved on with each refresh of the display.
public struct LiveOverlay: View {
    private let detection: LiveDetection
    private let coloring: BoxColoring

    public init(_ detection: LiveDetection, coloring: BoxColoring = .byIdentity) {
        (self.detection, self.coloring) = (detection, coloring)
    }

    public var body: some View {
        if let image = detection.imageSize {
            TimelineView(.animation) { _ in
                DetectionOverlay(objects: detection.objectsNow(), image: image, coloring: coloring)
            }
        }
    }
}

/// What keeps the boxes away, if anything does, with the way out.
private struct DetectorProblem: View {
    let camera: Camera
    let detection: LiveDetection
    @Environment(\.openURL) private var openURL

    var body: some View {
        VStack(spacing: 12) {
            switch (camera.status, detection.phase) {
            case (.failed(.denied), _):
                Text("Camera access is off.")
                Button("Open Settings") {
                    if let url = URL(string: UIApplication.openSettingsURLString) { openURL(url) }
                }
            case (.failed(let error), _):
                Text(error.localizedDescription)
                Button("Try Again") { camera.retry() }
            case (.interrupted(let reason), _): Text(reason.message)
            case (_, .failed(let message)):
                Text(message)
                Button("Try Again") { detection.retry() }
            case (_, .loading): ProgressView()
            default: EmptyView()
            }
        }
        .multilineTextAlignment(.center)
        .foregroundStyle(.white)
        .padding()
    }
}
#endif
