import OspreyKit
import OspreyUI
import SwiftUI

@main
struct OspreyApp: App {
    var body: some Scene {
        WindowGroup {
            RootView()
        }
    }
}

/// The screens, which share one camera.
struct RootView: View {
    @State private var camera = Camera()
    @State private var model = LiveModel()
    @AppStorage("hasSeenWelcome") private var hasSeenWelcome = false

    var body: some View {
        if hasSeenWelcome {
            TabView {
                LiveView(camera: camera, model: model)
                    .tabItem { Label("Live", systemImage: "viewfinder") }
                DrawView()
                    .tabItem { Label("Draw", systemImage: "pencil.and.scribble") }
                MotionView()
                    .tabItem { Label("Motion", systemImage: "figure.run") }
                TeachView(camera: camera)
                    .tabItem { Label("Teach", systemImage: "graduationcap") }
                BenchmarkView()
                    .tabItem { Label("Benchmark", systemImage: "gauge.with.needle") }
            }
        } else {
            WelcomeView { hasSeenWelcome = true }
        }
    }
}

/// One page before the system asks for the camera: what for, and what becomes of the images.
struct WelcomeView: View {
    let done: @MainActor () -> Void

    var body: some View {
        ScrollView {
            VStack(spacing: 24) {
                Image(systemName: "viewfinder").font(.largeTitle).accessibilityHidden(true)
                Text("Welcome to Osprey").font(.largeTitle)
                Text("Point the camera at something, and Osprey names what it sees: people, animals, everyday things.")
                Text("Everything happens on this device. No image leaves it unless you share one.")
                Text("To begin, Osprey needs the camera.")
                Button("Continue", action: done).buttonStyle(.borderedProminent)
            }
            .multilineTextAlignment(.center)
            .padding()
        }
    }
}
