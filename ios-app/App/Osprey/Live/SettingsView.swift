import OspreyKit
import OspreyUI
import SwiftUI
import UniformTypeIdentifiers

/// Confidence, rate, colours; recordings; about the app.
struct SettingsView: View {
    let camera: Camera
    @Bindable var model: LiveModel
    @State private var isImporting = false
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            Form {
                Section("Detection") {
                    LabeledContent("Minimum confidence") { Text("\(Int(model.scoreThreshold * 100)) %").monospacedDigit() }
                    Slider(value: $model.scoreThreshold, in: 0.05...0.95) { Text("Minimum confidence") }
                    Picker("Box color", selection: $model.coloring) {
                        Text("By object").tag(BoxColoring.byIdentity)
                        Text("By class").tag(BoxColoring.byClass)
                    }
                }
                Section("Camera") {
                    Picker("Frames per second", selection: $model.framesPerSecond) {
                        Text("30").tag(30)
                        Text("60").tag(60)
                    }
                    .onChange(of: model.framesPerSecond) { camera.choice.framesPerSecond = model.framesPerSecond }
                    if camera.framesPerSecond > 0, camera.framesPerSecond != model.framesPerSecond {
                        Text("This camera gives \(camera.framesPerSecond) frames per second.").font(.caption)
                    }
                }
                models
                recordings
                Section("About") {
                    LabeledContent("Version") { Text(Library.version) }
                    LabeledContent("Instruction set") { Text(Library.instructionSet) }
                    NavigationLink("Acknowledgements") { AcknowledgementsView() }
                }
            }
            .navigationTitle("Settings")
            .toolbar { Button("Done") { dismiss() } }
        }
    }

    private var models: some View {
        Section("Model") {
            Picker("Detector", selection: $model.modelChoice) {
                ForEach(ModelChoice.names, id: \.self) { Text($0).tag(ModelChoice.builtIn($0)) }
                if model.modelChoice == .own { Text("Your own file").tag(ModelChoice.own) }
            }
            if let chosen = try? model.modelChoice.model() {
                Text(chosen.description).font(.caption)
                if let size = chosen.inputSize {
                    Text("\(size.width) × \(size.height) pixels, \(Double(chosen.fileBytes) / 1e6, specifier: "%.1f") MB")
                        .font(.caption)
                }
            }
            Button("Open a TensorFlow Lite file") { isImporting = true }
                .fileImporter(isPresented: $isImporting, allowedContentTypes: [.data]) { file in
                    Task { await model.adopt(file) }
                }
            if let problem = model.problem ?? model.detection.problem {
                Label(problem, systemImage: "exclamationmark.triangle")
            }
        }
    }

    private var recordings: some View {
        Section("For developers") {
            Button(model.recording == nil ? "Record model input" : "Stop recording") {
                if model.recording == nil { model.startRecording() } else { model.stopRecording() }
            }
            if let file = model.recorded {
                ShareLink(item: file) { Label("Share the recording", systemImage: "square.and.arrow.up") }
            }
            Text("A file for the command “osprey replay” on a computer. It grows by several megabytes per second.")
                .font(.caption)
        }
    }
}

/// Licences of the code and weights in the app, as `linux/acknowledgements` collects them.
struct AcknowledgementsView: View {
    @State private var text = ""

    var body: some View {
        ScrollView {
            Text(text).font(.caption).padding()
        }
        .navigationTitle("Acknowledgements")
        .task { text = await Task.detached { Self.load() }.value }
    }

    nonisolated static func load() -> String {
        guard let file = Bundle.main.url(forResource: "Acknowledgements", withExtension: "txt") else { return "" }
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }
}
