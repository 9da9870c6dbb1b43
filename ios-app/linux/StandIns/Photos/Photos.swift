// Stands in for Apple's Photos on Linux.

import Foundation
import UIKit

public enum PHAccessLevel: Int, Sendable { case addOnly = 1, readWrite }
public enum PHAuthorizationStatus: Int, Sendable { case notDetermined = 0, restricted, denied, authorized, limited }

public class PHPhotoLibrary: NSObject, @unchecked Sendable {
    private static let library = PHPhotoLibrary()
    public class func shared() -> PHPhotoLibrary { library }
    public class func requestAuthorization(for level: PHAccessLevel) async -> PHAuthorizationStatus {
        SyntheticLibrary.isAllowed && level == .addOnly ? .authorized : .denied
    }
    public func performChanges(_ changes: @escaping @Sendable () -> Void) async throws { changes() }
}

public class PHAssetChangeRequest: NSObject {
    public class func creationRequestForAssetFromVideo(atFileURL url: URL) -> PHAssetChangeRequest? {
        SyntheticLibrary.videos.append(url)
        return PHAssetChangeRequest()
    }
    public class func creationRequestForAsset(from image: UIImage) -> PHAssetChangeRequest {
        SyntheticLibrary.images.append(image)
        return PHAssetChangeRequest()
    }
}

/// Not of Apple's interface.
public enum SyntheticLibrary {
    nonisolated(unsafe) public static var isAllowed = true
    nonisolated(unsafe) public static var videos: [URL] = []
    nonisolated(unsafe) public static var images: [UIImage] = []
}
