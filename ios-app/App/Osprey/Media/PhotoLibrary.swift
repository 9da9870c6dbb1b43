import Foundation
import Photos
import UIKit

/// Adds to the user's photo library. It asks for the permission to add alone, and reads nothing.
enum PhotoLibrary {
    enum Failure: Error, LocalizedError {
        case denied

        var errorDescription: String? {
            String(localized: "Osprey may not add to your photos. Allow it in Settings, or share the file instead.")
        }
    }

    static func add(video file: URL) async throws {
        try await allowed()
        try await PHPhotoLibrary.shared().performChanges {
            _ = PHAssetChangeRequest.creationRequestForAssetFromVideo(atFileURL: file)
        }
    }

    static func add(_ image: UIImage) async throws {
        try await allowed()
        try await PHPhotoLibrary.shared().performChanges {
            _ = PHAssetChangeRequest.creationRequestForAsset(from: image)
        }
    }

    private static func allowed() async throws {
        let status = await PHPhotoLibrary.requestAuthorization(for: .addOnly)
        guard status == .authorized || status == .limited else { throw Failure.denied }
    }
}
