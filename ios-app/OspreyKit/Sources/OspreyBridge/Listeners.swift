/// Hears the findings of a session, on its worker thread.
public final class ResultListener: Sendable {
    private let handler: @Sendable (Findings) -> Void

    public init(_ handler: @escaping @Sendable (Findings) -> Void) {
        self.handler = handler
    }

    func on_result(findings: Findings) {
        handler(findings)
    }
}

/// Hears the progress of a training, on the thread that trains.
public final class TrainingListener: Sendable {
    private let onBatch: @Sendable (BatchFigures) -> Void
    private let onEpoch: @Sendable (EpochFigures) -> Void

    public init(
        onBatch: @escaping @Sendable (BatchFigures) -> Void,
        onEpoch: @escaping @Sendable (EpochFigures) -> Void
    ) {
        self.onBatch = onBatch
        self.onEpoch = onEpoch
    }

    func on_batch(figures: BatchFigures) {
        onBatch(figures)
    }

    func on_epoch(figures: EpochFigures) {
        onEpoch(figures)
    }
}

// What the generated functions throw.
extension Failure: Error {}
