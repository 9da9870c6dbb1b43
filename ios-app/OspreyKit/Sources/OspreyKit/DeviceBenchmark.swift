import Foundation
internal import OspreyBridge

/// What is measured.
public struct BenchmarkConfiguration: Sendable, Codable, Hashable {
    public var threads: Int
    /// Size of the camera's frames, which are NV12.
    public var frameWidth, frameHeight: Int
    /// Frames of one measurement, and how many measurements are made one after the other.
    public var frames, rounds: Int

    public init(threads: Int, frameWidth: Int = 1920, frameHeight: Int = 1080, frames: Int = 60, rounds: Int = 5) {
        (self.threads, self.frameWidth, self.frameHeight) = (threads, frameWidth, frameHeight)
        (self.frames, self.rounds) = (frames, rounds)
    }
}

/// One measurement: milliseconds of a frame's stages.
public struct BenchmarkRound: Sendable, Codable, Equatable {
    public var threads: Int
    /// Seconds since the benchmark began, at the end of this round.
    public var at: Double
    public var frames: Int
    public var framesPerSecond: Double
    public var preprocessP50, inferenceP50, inferenceP95, inferenceP99, postprocessP50: Double
    public var totalMin, totalP50, totalP95: Double
    /// Thermal state after the round.
    public var thermal: ThermalState
}

/// What is shared: `benches/devices/table` reads it.
public struct BenchmarkReport: Sendable, Codable, Equatable {
    public static let format = "osprey-device-benchmark-1"

    public var format = BenchmarkReport.format
    /// Such as `iPhone16,1`.
    public var device: String
    public var system: String
    public var library: String
    public var instructionSet: String
    public var model: String
    /// ISO 8601.
    public var date: String
    public var configurations: [BenchmarkConfiguration]
    public var rounds: [BenchmarkRound]

    public init(device: String, system: String, model: String, date: Date, configurations: [BenchmarkConfiguration]) {
        (self.device, self.system, self.model) = (device, system, model)
        (library, instructionSet) = (Library.version, Library.instructionSet)
        self.date = ISO8601DateFormatter().string(from: date)
        (self.configurations, rounds) = (configurations, [])
    }

    /// Pretty JSON with keys in a fixed order.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }
}

/// Measures this device.
public final class DeviceBenchmark: Sendable {
    private let model: Model

    public init(model: Model) {
        self.model = model
    }

    /// Rounds as they are measured, on a thread of their own. Letting go of the stream ends it after the
    /// current round. `thermal` is asked after each.
    public func run(
        _ configurations: [BenchmarkConfiguration], thermal: @escaping @Sendable () -> ThermalState
    ) -> AsyncThrowingStream<BenchmarkRound, any Error> {
        AsyncThrowingStream { continuation in
            let isWanted = Flag(true)
            continuation.onTermination = { _ in isWanted.value = false }
            DispatchQueue.global(qos: .userInitiated).async { [model] in
                do {
                    let start = DispatchTime.now().uptimeNanoseconds
                    for configuration in configurations {
                        let benchmark = try Self.prepare(model, configuration)
                        for _ in 0..<max(configuration.rounds, 0) where isWanted.value {
                            let figures = try crossing { try benchmark.run(UInt32(clamping: configuration.frames)) }
                            let at = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
                            continuation.yield(
                                BenchmarkRound(configuration.threads, figures, at: at, thermal: thermal()))
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    private static func prepare(
        _ model: Model, _ configuration: BenchmarkConfiguration
    ) throws(OspreyError) -> Benchmark {
        var options = DetectorOptions()
        options.threads = configuration.threads
        let values = try options.values()
        let (width, height) = (UInt32(clamping: configuration.frameWidth), UInt32(clamping: configuration.frameHeight))
        return try crossing {
            let benchmark = try benchmark(model.source, values, width, height)
            // Warms caches and clocks; not counted.
            _ = try benchmark.run(3)
            return benchmark
        }
    }
}

extension BenchmarkRound {
    init(_ threads: Int, _ figures: BenchmarkFigures, at: Double, thermal: ThermalState) {
        (self.threads, self.at, self.thermal) = (threads, at, thermal)
        frames = Int(figures.frames)
        framesPerSecond = figures.seconds > 0 ? Double(figures.frames) / figures.seconds : 0
        preprocessP50 = figures.preprocess_p50_ms
        (inferenceP50, inferenceP95, inferenceP99) =
            (figures.inference_p50_ms, figures.inference_p95_ms, figures.inference_p99_ms)
        postprocessP50 = figures.post_p50_ms
        (totalMin, totalP50, totalP95) = (figures.total_min_ms, figures.total_p50_ms, figures.total_p95_ms)
    }
}

/// A boolean that threads share.
final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Bool

    init(_ value: Bool) { stored = value }

    var value: Bool {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue } }
    }
}
