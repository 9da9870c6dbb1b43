import Foundation
internal import OspreyBridge

/// Why something was refused. The text says what is wrong and, where there is one, the remedy.
public enum OspreyError: Error, Equatable, Sendable {
    /// An address that is null or misaligned, or a length that no memory has.
    case pointer(String)
    /// Memory that is not a picture of the size, format or orientation that was claimed.
    case frame(String)
    /// A model that was not found, loaded or run.
    case model(String)
    /// An option outside its range, or a class that does not exist.
    case options(String)
    /// Examples that cannot be learned from.
    case learning(String)
    /// A sample of motion that was left out; the stream goes on.
    case motion(String)
    /// A drawing that is no digit.
    case digits(String)
    /// A drawing or picture with nothing on it.
    case blank(String)
    /// A file or folder that cannot be read or written.
    case storage(String)
    /// A defect in the library, caught.
    case defect(String)

    /// The sentence to show.
    public var message: String {
        switch self {
        case .pointer(let text), .frame(let text), .model(let text), .options(let text), .learning(let text),
            .motion(let text), .digits(let text), .blank(let text), .storage(let text), .defect(let text):
            text
        }
    }

    init(_ failure: Failure) {
        let text = failure.message().toString()
        self = switch failure.kind() {
        case 1: .pointer(text)
        case 2: .frame(text)
        case 3: .model(text)
        case 4: .options(text)
        case 5: .learning(text)
        case 6: .motion(text)
        case 7: .digits(text)
        case 8: .blank(text)
        case 9: .storage(text)
        default: .defect(text)
        }
    }
}

extension OspreyError: LocalizedError {
    public var errorDescription: String? { message }
}

/// Runs a call across the border; what it throws becomes an `OspreyError`.
func crossing<T>(_ call: () throws -> T) throws(OspreyError) -> T {
    do {
        return try call()
    } catch let failure as Failure {
        throw OspreyError(failure)
    } catch let error as OspreyError {
        throw error
    } catch {
        throw .defect("\(error)")
    }
}

/// Lines of a list that came across the border as one string.
func lines(_ list: RustString) -> [String] {
    let text = list.toString()
    return text.isEmpty ? [] : text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

extension Array where Element: BitwiseCopyable {
    /// An array of `count` elements that `fill` writes to the address it is given.
    init(count: Int, filling: Element, by fill: (UInt) -> Void) {
        self.init(repeating: filling, count: count)
        withUnsafeMutableBufferPointer { fill(UInt(bitPattern: $0.baseAddress)) }
    }
}
