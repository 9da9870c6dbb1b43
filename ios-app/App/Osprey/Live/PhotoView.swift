import OspreyKit
import OspreyUI
import SwiftUI
import UIKit

/// A photo with its boxes, to be looked at and shared.
struct PhotoView: View {
    let photo: Photo
    let coloring: BoxColoring
    let done: @MainActor () -> Void
    @State private var painted: UIImage?

    var body: some View {
        NavigationStack {
            VStack {
                Image(uiImage: photo.image)
                    .resizable()
                    .scaledToFit()
                    .overlay {
                        DetectionOverlay(objects: photo.objects, image: photo.image.size, fitting: .fit, coloring: coloring)
                    }
                    .accessibilityLabel(Text("The photo"))
                if photo.objects.isEmpty { Text("Nothing was found in this photo.").foregroundStyle(.secondary) }
            }
            .navigationTitle("Photo")
            .toolbar {
                Button("Done", action: done)
                if let painted {
                    let image = Image(uiImage: painted)
                    ShareLink(item: image, preview: SharePreview("What Osprey found", image: image)) {
                        Label("Share", systemImage: "square.and.arrow.up")
                    }
                }
            }
        }
        .task {
            let (photo, coloring) = (photo, coloring)
            painted = await Task.detached { BoxPainter.painted(photo, coloring: coloring) }.value
        }
    }
}
