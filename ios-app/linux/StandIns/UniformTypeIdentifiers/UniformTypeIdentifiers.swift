// Stands in for Apple's UniformTypeIdentifiers on Linux.

public struct UTType: Sendable { public static let data = UTType() }
