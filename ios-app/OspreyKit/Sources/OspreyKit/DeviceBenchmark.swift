import Foundation
internal import OspreyBridge

/// What is measured: a class of `benches/device_classes.toml`, for so long.
public struct BenchmarkConfiguration: Sendable, Codable, Hashable {
    /// Name of the class there: the same name stands for the same work on any machine.
    public var name: String
    public var threads: Int
    /// Size of the camera's frames, which are NV12.
    public var frameWidth, frameHeight: Int
    /// For how long frames are run. Heat takes minutes to tell.
    public var seconds: Double

    public init(name: String, threads: Int, frameWidth: Int = 1920, frameHeight: Int = 1080, seconds: Double) {
        (self.name, self.threads, self.seconds) = (name, threads, seconds)
        (self.frameWidth, self.frameHeight) = (frameWidth, frameHeight)
    }
}

/// What else decides how fast a device is, at the start of a configuration.
public struct BenchmarkConditions: Sendable, Codable, Equatable {
    public var thermal: ThermalState
    /// Halves the clocks.
    public var isLowPowerMode: Bool
    public var isCharging: Bool
    /// Charge, 0 to 1; nil where it is not known.
    public var batteryLevel: Float?

    public init(_ reading: DeviceReading) {
        (thermal, isLowPowerMode) = (reading.thermal, reading.isLowPowerMode)
        (isCharging, batteryLevel) = (reading.isCharging, reading.batteryLevel)
    }

    /// Whether figures would be those of the device, rather than of its heat or its saving.
    public var isFit: Bool { thermal.rawValue <= ThermalState.fair.rawValue && !isLowPowerMode }
}

/// A few seconds' measurement: milliseconds of a frame's stages.
public struct BenchmarkRound: Sendable, Codable, Equatable {
    /// Index into the report's configurations.
    public var configuration: Int
    /// Seconds since the configuration began, at the end of this round.
    public var at: Double
    public var frames: Int
    public var framesPerSecond: Double
    public var preprocessP50, inferenceP50, inferenceP95, inferenceP99, postprocessP50: Double
    /// From the submission of a frame until its tracked boxes are there.
    public var totalMin, totalP50, totalP95: Double
    /// Thermal state after the round.
    public var thermal: ThermalState
}

/// What is shared: `benches/devices/table` reads it.
public struct BenchmarkReport: Sendable, Codable, Equatable {
    public static let format = "osprey-device-benchmark-2"

    public var format = BenchmarkReport.format
    /// Such as `iPhone16,1`.
    public var device: String
    public var system: String
    public var library: String
    /// `release`, or `debug`, whose figures say nothing.
    public var build: String
    public var instructionSet: String
    /// Cores of all kinds.
    public var cores: Int
    public var model: String
    /// ISO 8601.
    public var date: String
    public var configurations: [BenchmarkConfiguration]
    /// At the start of each configuration that was begun.
    public var conditions: [BenchmarkConditions]
    public var rounds: [BenchmarkRound]

    public init(device: String, system: String, model: String, date: Date, configurations: [BenchmarkConfiguration]) {
        (self.device, self.system, self.model) = (device, system, model)
        (library, instructionSet) = (Library.version, Library.instructionSet)
        #if DEBUG
        build = "debug"
        #else
        build = "release"
        #endif
        cores = ProcessInfo.processInfo.processorCount
        self.date = ISO8601DateFormatter().string(from: date)
        (self.configurations, conditions, rounds) = (configurations, [], [])
    }

    /// Takes what the benchmark says.
    public mutating func add(_ event: BenchmarkEvent) {
        switch event {
        case .cooling: break
        case .began(_, let conditions): self.conditions.append(conditions)
        case .round(let round): rounds.append(round)
        }
    }

    /// Median frames per second of a configuration's rounds; nil where there are none.
    public func framesPerSecond(of configuration: Int) -> Double? {
        let figures = rounds.filter { $0.configuration == configuration }.map(\.framesPerSecond).sorted()
        return figures.isEmpty ? nil : figures[figures.count / 2]
    }

    /// The last minute's frames per second over the first's: what heat leaves. Nil for less than three minutes.
    public func held(of configuration: Int) -> Double? {
        let own = rounds.filter { $0.configuration == configuration }
        guard let end = own.last?.at, end >= 180 else { return nil }
        let mean = { (rounds: [BenchmarkRound]) in rounds.map(\.framesPerSecond).reduce(0, +) / Double(max(rounds.count, 1)) }
        let first = mean(own.filter { $0.at <= 60 })
        return first > 0 ? mean(own.filter { $0.at > end - 60 }) / first : nil
    }

    /// Pretty JSON with keys in a fixed order.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(self)
    }
}

/// What a benchmark says while it runs.
public enum BenchmarkEvent: Sendable, Equatable {
    /// The device is warm from the last configuration; a cool one is waited for, up to so many seconds more.
    case cooling(TimeInterval)
    case began(configuration: Int, BenchmarkConditions)
    case round(BenchmarkRound)
}

/// Measures this device.
public final class DeviceBenchmark: Sendable {
    /// Seconds that a warm device gets to cool before the next configuration.
    public static let longestCooling: TimeInterval = 120

    private let model: Model

    public init(model: Model) {
        self.model = model
    }

    /// Events as they come, from a thread of their own. Letting go of the stream ends it after the current round.
    /// `conditions` is asked before each configuration and after each round, which is `roundFrames` frames: about a
    /// second on any phone.
    public func run(
        _ configurations: [BenchmarkConfiguration], roundFrames: Int = 60,
        conditions: @escaping @Sendable () -> BenchmarkConditions
    ) -> AsyncThrowingStream<BenchmarkEvent, any Error> {
        AsyncThrowingStream { continuation in
            let isWanted = Flag(true)
            continuation.onTermination = { _ in isWanted.value = false }
            DispatchQueue.global(qos: .userInitiated).async { [model] in
                do {
                    for (index, configuration) in configurations.enumerated() where isWanted.value {
                        if index > 0 { Self.cool(isWanted, conditions, continuation) }
                        let benchmark = try Self.prepare(model, configuration)
                        continuation.yield(.began(configuration: index, conditions()))
                        let start = DispatchTime.now().uptimeNanoseconds
                        var at = 0.0
                        while isWanted.value, at < configuration.seconds {
                            let figures = try crossing { try benchmark.run(UInt32(clamping: roundFrames)) }
                            at = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
                            continuation.yield(
                                .round(BenchmarkRound(index, figures, at: at, thermal: conditions().thermal)))
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    /// Waits until the device is cool, or has had its time.
    private static func cool(
        _ isWanted: Flag, _ conditions: () -> BenchmarkConditions,
        _ continuation: AsyncThrowingStream<BenchmarkEvent, any Error>.Continuation
    ) {
        var left = longestCooling
        while isWanted.value, left > 0, conditions().thermal != .nominal {
            continuation.yield(.cooling(left))
            Thread.sleep(forTimeInterval: 1)
            left -= 1
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
    init(_ configuration: Int, _ figures: BenchmarkFigures, at: Double, thermal: ThermalState) {
        (self.configuration, self.at, self.thermal) = (configuration, at, thermal)
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
