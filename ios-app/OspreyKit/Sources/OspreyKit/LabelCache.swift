import Foundation

/// The labels of a session, which another model may replace.
final class LabelCache: @unchecked Sendable {
    // Guarded by the lock, which is held for a lookup at a time.
    private let lock = NSLock()
    private var names: [String] = []

    var all: [String] {
        get { lock.withLock { names } }
        set { lock.withLock { names = newValue } }
    }

    subscript(classID: Int) -> String {
        lock.withLock { names.indices.contains(classID) ? names[classID] : "class \(classID)" }
    }
}
