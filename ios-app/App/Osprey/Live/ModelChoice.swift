import Foundation
import OspreyKit

/// Which detector is used, as it is kept between launches.
enum ModelChoice: Hashable, Sendable {
    case builtIn(String)
    /// A `.tflite` file of the user, copied into the app.
    case own

    static let standard = ModelChoice.builtIn(names.first ?? "")

    /// The built-in detectors, the default first.
    static let names: [String] = {
        guard let first = try? Model(for: .detection) else { return [] }
        let prefix = first.name.split(separator: "-").prefix(3).joined(separator: "-")
        return [first.name] + Model.builtInNames.filter { $0 != first.name && $0.hasPrefix(prefix) }
    }()

    private static let ownKey = "own"

    init(stored: String?) {
        switch stored {
        case Self.ownKey? where FileManager.default.fileExists(atPath: Self.ownFile.path): self = .own
        case let name? where Self.names.contains(name): self = .builtIn(name)
        default: self = .standard
        }
    }

    var stored: String {
        switch self {
        case .builtIn(let name): name
        case .own: Self.ownKey
        }
    }

    static var ownFile: URL { URL.applicationSupportDirectory.appending(path: "detector.tflite") }

    /// Takes a file over: it is looked through before it replaces the former.
    static func adopt(_ file: URL) throws {
        let isScoped = file.startAccessingSecurityScopedResource()
        defer { if isScoped { file.stopAccessingSecurityScopedResource() } }
        _ = try Model(file: file)
        let manager = FileManager.default
        try manager.createDirectory(at: URL.applicationSupportDirectory, withIntermediateDirectories: true)
        let copy = ownFile.appendingPathExtension("new")
        try? manager.removeItem(at: copy)
        try manager.copyItem(at: file, to: copy)
        try? manager.removeItem(at: ownFile)
        try manager.moveItem(at: copy, to: ownFile)
    }

    func model() throws -> Model {
        switch self {
        case .builtIn(let name): try Model(named: name)
        case .own: try Model(file: Self.ownFile)
        }
    }
}
