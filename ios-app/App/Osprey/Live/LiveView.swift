import OspreyKit
import SwiftUI
import UIKit

struct LiveView: View {
    let camera: CameraModel
    @State private var model = LiveModel()
    @State private var isChoosing = false
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        ZStack {
            Color.black.ignoresSafeArea()
            if let frozen = model.frozen {
                FrozenView(frozen: frozen) { model.thaw() }
            } else {
                CameraPreview(camera: camera).ignoresSafeArea()
                if let result = model.result {
                    OverlayView(
                        objects: result.objects,
                        picture: CGSize(width: result.pictureWidth, height: result.pictureHeight)
                    )
                    .ignoresSafeArea()
                }
                VStack {
                    LiveStatus(model: model, problem: camera.problem)
                    Spacer()
                    LiveControls(camera: camera, model: model, isChoosing: $isChoosing)
                }
                .padding()
            }
        }
        .task(id: scenePhase) {
            guard scenePhase == .active else { return }
            camera.capture.send(to: model.sink)
            await camera.start()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await camera.watch() }
                group.addTask { await model.run(framesPerSecond: camera.choice.framesPerSecond) }
            }
            camera.stop()
        }
        .task {
            for await _ in postings(of: UIApplication.didReceiveMemoryWarningNotification) {
                model.releaseMemory()
            }
        }
        .sheet(isPresented: $isChoosing) {
            ClassPicker(labels: model.labels, allowed: Bindable(model).allowedLabels)
        }
    }
}

/// Pace, age, dropped frames, heat; or what is wrong.
private struct LiveStatus: View {
    let model: LiveModel
    let problem: String?

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            switch model.phase {
            case .loading: ProgressView("Loading the detector")
            case .failed(let text): Label(text, systemImage: "exclamationmark.triangle")
            case .running:
                Text("\(model.framesPerSecond, specifier: "%.0f") FPS · \(Int(model.age * 1000)) ms old")
                    .monospacedDigit()
                Text("\(model.dropped) frames dropped · \(model.thermal.name)" + paceText)
                    .font(.caption)
            }
            if let text = problem ?? model.problem {
                Label(text, systemImage: "exclamationmark.triangle").font(.caption)
            }
        }
        .padding(8)
        .background(.ultraThinMaterial)
        .accessibilityElement(children: .combine)
    }

    private var paceText: String {
        model.pace.interval > 1 ? " · every \(model.pace.interval). frame" : ""
    }
}

private struct LiveControls: View {
    @Bindable var camera: CameraModel
    @Bindable var model: LiveModel
    @Binding var isChoosing: Bool

    var body: some View {
        VStack {
            HStack {
                Image(systemName: "slider.horizontal.3").accessibilityHidden(true)
                Slider(value: $model.scoreThreshold, in: 0.05...0.95) { Text("Least confidence") }
                Text("\(Int(model.scoreThreshold * 100)) %").monospacedDigit()
            }
            HStack {
                Button {
                    camera.choice.position = camera.choice.position == .back ? .front : .back
                } label: {
                    Label("Turn the camera", systemImage: "arrow.triangle.2.circlepath.camera")
                }
                Button {
                    camera.choice.framesPerSecond = camera.choice.framesPerSecond == 30 ? 60 : 30
                } label: {
                    Label("\(camera.choice.framesPerSecond) frames a second", systemImage: "speedometer")
                }
                Button { isChoosing = true } label: {
                    Label("Choose classes", systemImage: "line.3.horizontal.decrease.circle")
                }
                Button { model.freeze() } label: {
                    Label("Freeze the picture", systemImage: "camera.shutter.button")
                }
                RecordButton(model: model)
            }
            .labelStyle(.iconOnly)
            .font(.title2)
        }
        .padding(8)
        .background(.ultraThinMaterial)
    }
}

/// Records for `osprey replay`; shares the file when it is whole.
private struct RecordButton: View {
    let model: LiveModel

    var body: some View {
        if let file = model.recorded {
            ShareLink(item: file) { Label("Share the recording", systemImage: "square.and.arrow.up") }
        }
        Button {
            if model.recording == nil { model.startRecording() } else { model.stopRecording() }
        } label: {
            Label(
                model.recording == nil ? "Record for replay" : "End the recording",
                systemImage: model.recording == nil ? "record.circle" : "stop.circle.fill")
        }
    }
}

/// A held picture with its boxes, to be shared.
private struct FrozenView: View {
    let frozen: FrozenPicture
    let done: @MainActor () -> Void
    @State private var shared: Image?

    var body: some View {
        VStack {
            picture
            HStack {
                Button("Back to live", action: done)
                if let shared {
                    ShareLink(item: shared, preview: SharePreview("What Osprey found", image: shared)) {
                        Label("Share", systemImage: "square.and.arrow.up")
                    }
                }
            }
            .padding()
        }
        .task {
            let renderer = ImageRenderer(content: picture.frame(width: 720, height: 720 * ratio))
            shared = renderer.uiImage.map { Image(uiImage: $0) }
        }
    }

    private var ratio: Double { frozen.image.size.height / max(frozen.image.size.width, 1) }

    private var picture: some View {
        Image(uiImage: frozen.image)
            .resizable()
            .scaledToFit()
            .overlay { OverlayView(objects: frozen.objects, picture: frozen.image.size, fitting: .fit) }
    }
}

private struct ClassPicker: View {
    let labels: [String]
    @Binding var allowed: Set<String>
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                Button("All classes") { allowed = [] }
                ForEach(labels, id: \.self) { label in
                    Button {
                        if allowed.remove(label) == nil { allowed.insert(label) }
                    } label: {
                        HStack {
                            Text(label)
                            Spacer()
                            if allowed.contains(label) { Image(systemName: "checkmark") }
                        }
                    }
                    .accessibilityAddTraits(allowed.contains(label) ? .isSelected : [])
                }
            }
            .navigationTitle("Classes")
            .toolbar { Button("Done") { dismiss() } }
        }
    }
}
