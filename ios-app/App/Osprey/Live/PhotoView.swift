import AVFoundation
import AVKit
import OspreyKit
import OspreyUI
import SwiftUI
import UIKit

/// A photo with its boxes, to be looked at and shared.
struct PhotoView: View {
    let photo: Photo
    let coloring: BoxColoring
    /// Adds to the photo library; whether that went well.
    let save: @MainActor (UIImage) async -> Bool
    let done: @MainActor () -> Void
    @State private var painted: UIImage?
    @State private var isSaved = false

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
                    Button(isSaved ? "Saved" : "Save to Photos") {
                        Task { isSaved = await save(painted) }
                    }
                    .disabled(isSaved)
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

/// A video that was recorded: to be saved or shared, and gone otherwise.
struct FilmView: View {
    let file: URL
    let save: @MainActor () async -> Bool
    let done: @MainActor () -> Void
    @State private var isSaved = false

    var body: some View {
        NavigationStack {
            VStack(spacing: 16) {
                VideoPlayer(player: AVPlayer(url: file))
                Button(isSaved ? "Saved" : "Save to Photos") { Task { isSaved = await save() } }
                    .buttonStyle(.borderedProminent)
                    .disabled(isSaved)
                ShareLink(item: file) { Label("Share", systemImage: "square.and.arrow.up") }
            }
            .padding()
            .navigationTitle("Video")
            .toolbar { Button("Done", action: done) }
        }
    }
}
