import Charts
import Foundation
import Observation
import OspreyKit
import SwiftUI

@MainActor @Observable
final class BenchmarkModel {
    private(set) var report: BenchmarkReport?
    private(set) var isRunning = false
    private(set) var file: URL?
    private(set) var problem: String?

    /// One to four threads, and then long enough with two for the device to warm up.
    static let configurations =
        [1, 2, 4].map { BenchmarkConfiguration(threads: $0) }
        + [BenchmarkConfiguration(threads: 2, frames: 120, rounds: 60)]

    /// Measures until all is done or the task is cancelled; what was measured can be shared in any case.
    func run() async {
        (isRunning, file, problem) = (true, nil, nil)
        defer { isRunning = false }
        do {
            let model = try Model(for: .detection)
            report = BenchmarkReport(
                device: DeviceConditions.model, system: DeviceConditions.system, model: model.name,
                date: Date(), configurations: Self.configurations)
            let rounds = DeviceBenchmark(model: model).run(Self.configurations) { ThermalState.current }
            for try await round in rounds { report?.rounds.append(round) }
            try write()
        } catch {
            problem = error.localizedDescription
        }
    }

    func write() throws {
        guard let report, !report.rounds.isEmpty else { return }
        let file = URL.temporaryDirectory.appending(path: "osprey-benchmark-\(report.device).json")
        try report.json().write(to: file, options: .atomic)
        self.file = file
    }

    func rows(_ report: BenchmarkReport) -> [Row] {
        Dictionary(grouping: report.rounds, by: \.threads).map { threads, rounds in
            let count = Double(rounds.count)
            return Row(
                id: threads, framesPerSecond: rounds.map(\.framesPerSecond).reduce(0, +) / count,
                inference: rounds.map(\.inferenceP50).sorted()[rounds.count / 2])
        }
        .sorted { $0.id < $1.id }
    }

    struct Row: Identifiable {
        /// Threads.
        var id: Int
        var framesPerSecond: Double
        /// Median milliseconds.
        var inference: Double
    }
}

struct BenchmarkView: View {
    @State private var model = BenchmarkModel()
    @State private var task: Task<Void, Never>?

    var body: some View {
        NavigationStack {
            List {
                if let report = model.report {
                    Section("Frames per second") {
                        ForEach(model.rows(report)) { row in
                            HStack {
                                Text("\(row.id) threads")
                                Spacer()
                                Text("\(row.framesPerSecond, specifier: "%.1f") FPS, \(row.inference, specifier: "%.1f") ms")
                                    .monospacedDigit()
                            }
                        }
                    }
                    Section("Over time") {
                        Chart(report.rounds, id: \.at) { round in
                            LineMark(x: .value("seconds", round.at), y: .value("FPS", round.framesPerSecond))
                            PointMark(x: .value("seconds", round.at), y: .value("FPS", round.framesPerSecond))
                                .foregroundStyle(by: .value("heat", round.thermal.name))
                        }
                        .frame(height: 200)
                        .accessibilityLabel(Text("Frames per second over time, coloured by heat"))
                    }
                }
                if let problem = model.problem { Label(problem, systemImage: "exclamationmark.triangle") }
                if model.isRunning {
                    Button("Stop") { task?.cancel() }
                } else {
                    Button("Run") { task = Task { await ScreenLock.held { await model.run() } } }
                }
                if let file = model.file {
                    ShareLink(item: file) { Label("Share as JSON", systemImage: "square.and.arrow.up") }
                }
            }
            .navigationTitle("Benchmark")
        }
        // It would slow the other screens down, and they it.
        .onDisappear { task?.cancel() }
    }
}
