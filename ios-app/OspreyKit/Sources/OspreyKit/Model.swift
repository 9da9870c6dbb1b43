import Foundation
internal import OspreyBridge

/// A model, looked through but not loaded.
public struct Model: Sendable {
    let source: ModelSource

    /// What a model is for.
    public enum Task: UInt8, Sendable, CaseIterable {
        case detection = 0, classification, digits, motion
    }

    /// The built-in model for a task.
    public init(for task: Task) throws(OspreyError) {
        source = try crossing { try model_for_task(task.rawValue) }
    }

    /// The built-in model of this name.
    public init(named name: String) throws(OspreyError) {
        source = try crossing { try model_named(name) }
    }

    /// A `.tflite` file. A `manifest.toml` beside it that lists it adds what it knows.
    public init(file: URL) throws(OspreyError) {
        let path = file.path
        source = try crossing { try model_file(path) }
    }

    /// Names of the built-in models.
    public static var builtInNames: [String] { lines(built_in_models()) }

    public var name: String { source.name().toString() }
    public var description: String { source.description().toString() }
    /// Labels as file or manifest list them; may be empty.
    public var labels: [String] { lines(source.labels()) }
    public var fileBytes: Int { Int(source.file_bytes()) }
    /// Memory that the loaded model takes for its numbers.
    public var arenaBytes: Int { Int(source.arena_bytes()) }
    /// Width and height of the picture that the model takes, in pixels; nil for other models.
    public var inputSize: (width: Int, height: Int)? {
        let (width, height) = (Int(source.input_width()), Int(source.input_height()))
        return width > 0 && height > 0 ? (width, height) : nil
    }
}

/// The library under this package.
public enum Library {
    public static var version: String { library_version().toString() }
    /// The strongest instruction set that this CPU has kernels for.
    public static var instructionSet: String { instruction_set().toString() }
}
