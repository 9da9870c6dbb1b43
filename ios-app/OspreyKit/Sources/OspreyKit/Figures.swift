import Foundation
internal import OspreyBridge

/// The fate of every frame.
public struct Ledger: Sendable, Equatable {
    public var captured, shown, stale, failed, pending: UInt64
    public var dropped: [DropReason: UInt64]

    public var totalDropped: UInt64 { dropped.values.reduce(0, +) }

    /// Whether every frame has exactly one fate.
    public var balances: Bool { captured == shown + totalDropped + stale + failed + pending }

    init(_ figures: LedgerFigures) {
        captured = figures.captured
        shown = figures.shown
        stale = figures.stale
        failed = figures.failed
        pending = figures.pending
        dropped = [
            .replaced: figures.replaced, .late: figures.late, .paused: figures.paused,
            .paced: figures.paced, .modelChanged: figures.model_changed, .shutdown: figures.shutdown,
        ]
    }
}

/// A stretch of a frame's way.
public enum Stage: UInt8, Sendable, CaseIterable {
    case submit = 0, preprocess, wait, inference, postprocess, tracking, age
}

/// How long a stage took over all frames, in seconds; right to one percent.
public struct Percentiles: Sendable, Equatable {
    public var count: UInt64
    public var p50, p95, p99: TimeInterval

    init(_ figures: StageFigures) {
        count = figures.count
        (p50, p95, p99) = (Double(figures.p50_ns) / 1e9, Double(figures.p95_ns) / 1e9, Double(figures.p99_ns) / 1e9)
    }
}
