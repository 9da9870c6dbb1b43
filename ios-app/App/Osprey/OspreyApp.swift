import SwiftUI

@main
struct OspreyApp: App {
    var body: some Scene {
        WindowGroup {
            RootView()
        }
    }
}

struct RootView: View {
    @State private var camera = CameraModel()

    var body: some View {
        TabView {
            LiveView(camera: camera)
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
    }
}
