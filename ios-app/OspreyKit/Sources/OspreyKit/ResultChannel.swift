import Foundation

/// Hands each result to every consumer.
final class ResultChannel: @unchecked Sendable {
    typealias Element = Result<DetectionResult, OspreyError>

    // Guarded by the lock.
    private let lock = NSLock()
    private var consumers: [UInt64: AsyncStream<Element>.Continuation] = [:]
    private var next: UInt64 = 0
    /// What came while nobody listened: the newest.
    private var unheard: Element?
    private var isFinished = false

    func stream() -> AsyncStream<Element> {
        let (stream, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(1))
        let id = lock.withLock { () -> UInt64? in
            guard !isFinished else { return nil }
            if let unheard { continuation.yield(unheard) }
            unheard = nil
            next += 1
            consumers[next] = continuation
            return next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.leave(id) }
        return stream
    }

    func send(_ element: Element) {
        let listening = lock.withLock {
            if consumers.isEmpty { unheard = element }
            return Array(consumers.values)
        }
        listening.forEach { $0.yield(element) }
    }

    func finish() {
        let listening = lock.withLock {
            isFinished = true
            defer { consumers = [:] }
            return Array(consumers.values)
        }
        listening.forEach { $0.finish() }
    }

    private func leave(_ id: UInt64) {
        _ = lock.withLock { consumers.removeValue(forKey: id) }
    }
}

/// Runs `body` with an autorelease pool of its own where there is one: threads of Rust have none.
func pooled(_ body: () -> Void) {
    #if canImport(ObjectiveC)
    autoreleasepool(invoking: body)
    #else
    body()
    #endif
}
