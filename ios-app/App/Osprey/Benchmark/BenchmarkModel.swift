import Foundation
import Observation
import OspreyKit
import OspreyUI

/// Measures this device in the classes of `cargo bench`, and for ten minutes.
@MainActor @Observable
final class BenchmarkModel {
    enum Phase: Equatable {
        case idle
        /// Index of the configuration, and the share of all time that is over.
        case running(Int, progress: Double)
        /// Seconds that are waited at most.
        case cooling(TimeInterval)
    }

    private(set) var phase = Phase.idle
    private(set) var report: BenchmarkReport?
    private(set) var file: URL?
    private(set) var problem: String?
    /// Why figures would not be those of the device; asked before it begins.
    private(set) var warning: String?

    /// Classes of benches/device_classes.toml; the last one long enough for heat to tell.
    static let configurations = [
        BenchmarkConfiguration(name: "phone, 1080p nv12, 1 thread", threads: 1, seconds: 20),
        BenchmarkConfiguration(name: "phone, 1080p nv12, 2 threads", threads: 2, seconds: 20),
        BenchmarkConfiguration(name: "phone, 1080p nv12, 2 threads", threads: 2, seconds: 600),
    ]

    var isRunning: Bool { phase != .idle }

    /// Whether figures would be those of the device; else says why in `warning`.
    func isFit() -> Bool {
        let now = BenchmarkConditions(.current())
        warning =
            if now.isLowPowerMode {
                String(localized: "Low Power Mode slows the device down. Turn it off before you measure.")
            } else if now.isFit {
                nil
            } else {
                String(localized: "The device is hot. Let it cool down before you measure.")
            }
        return warning == nil
    }

    /// Measures until all is done or the task is cancelled; what was measured can be shared in any case.
    func run(_ configurations: [BenchmarkConfiguration] = BenchmarkModel.configurations) async {
        guard !isRunning else { return }
        (phase, file, problem, report) = (.running(0, progress: 0), nil, nil, nil)
        defer { phase = .idle }
        do {
            let model = try await Task.detached { try Model(for: .detection) }.value
            var report = BenchmarkReport(
                device: DeviceConditions.model, system: DeviceConditions.system, model: model.name,
                date: Date(), configurations: configurations)
            let conditions = ConditionsNow()
            for try await event in DeviceBenchmark(model: model).run(configurations, conditions: { conditions.value }) {
                conditions.value = BenchmarkConditions(.current())
                report.add(event)
                self.report = report
                phase = Self.phase(event, configurations)
            }
        } catch {
            problem = error.localizedDescription
        }
        write()
    }

    private static func phase(_ event: BenchmarkEvent, _ configurations: [BenchmarkConfiguration]) -> Phase {
        let whole = configurations.map(\.seconds).reduce(0, +)
        let before = { (index: Int) in configurations[..<index].map(\.seconds).reduce(0, +) }
        return switch event {
        case .cooling(let seconds): .cooling(seconds)
        case .began(let index, _): .running(index, progress: before(index) / max(whole, 1))
        case .round(let round):
            .running(round.configuration, progress: min((before(round.configuration) + round.at) / max(whole, 1), 1))
        }
    }

    private func write() {
        guard let report, !report.rounds.isEmpty else { return }
        let name = report.device.map { $0.isLetter || $0.isNumber || $0 == "," ? $0 : "-" }
        let file = URL.temporaryDirectory.appending(path: "osprey-benchmark-\(String(name)).json")
        do {
            try report.json().write(to: file, options: .atomic)
            self.file = file
        } catch {
            problem = error.localizedDescription
        }
    }
}

/// The device's conditions as the main actor last read them, for the thread that measures. Heat is read there.
private final class ConditionsNow: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: BenchmarkConditions

    @MainActor
    init() { stored = BenchmarkConditions(.current()) }

    var value: BenchmarkConditions {
        get {
            var now = lock.withLock { stored }
            now.thermal = .current
            now.isLowPowerMode = ProcessInfo.processInfo.isLowPowerModeEnabled
            return now
        }
        set { lock.withLock { stored = newValue } }
    }
}
