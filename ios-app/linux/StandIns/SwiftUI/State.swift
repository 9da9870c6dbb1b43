import Foundation
import Observation

@MainActor @preconcurrency @propertyWrapper public struct State<Value> {
    private final class Box {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private let box: Box

    public init(wrappedValue: Value) { box = Box(wrappedValue) }

    public var wrappedValue: Value {
        get { box.value }
        nonmutating set { box.value = newValue }
    }

    public var projectedValue: Binding<Value> {
        Binding(get: { box.value }, set: { box.value = $0 })
    }
}

@MainActor @preconcurrency @propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    private let get: @MainActor () -> Value
    private let set: @MainActor (Value) -> Void

    public init(get: @escaping @MainActor () -> Value, set: @escaping @MainActor (Value) -> Void) {
        (self.get, self.set) = (get, set)
    }

    public var wrappedValue: Value {
        get { get() }
        nonmutating set { set(newValue) }
    }

    public var projectedValue: Binding<Value> { self }

    public subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member> & Sendable) -> Binding<Member> {
        Binding<Member>(
            get: { self.wrappedValue[keyPath: path] },
            set: {
                var value = self.wrappedValue
                value[keyPath: path] = $0
                self.wrappedValue = value
            })
    }
}

@MainActor @preconcurrency @propertyWrapper @dynamicMemberLookup public struct Bindable<Value: AnyObject & Observable> {
    public var wrappedValue: Value

    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
    public init(_ wrappedValue: Value) { self.wrappedValue = wrappedValue }

    public var projectedValue: Bindable<Value> { self }

    public subscript<Member>(dynamicMember path: ReferenceWritableKeyPath<Value, Member> & Sendable) -> Binding<Member> {
        let object = wrappedValue
        return Binding(get: { object[keyPath: path] }, set: { object[keyPath: path] = $0 })
    }
}

public enum ScenePhase: Sendable, Equatable { case background, inactive, active }

public struct DismissAction: Sendable {
    @MainActor public func callAsFunction() {}
}

public struct OpenURLAction: Sendable {
    @MainActor public func callAsFunction(_ url: URL) {}
}

@MainActor public struct EnvironmentValues {
    public var scenePhase: ScenePhase { .active }
    public var dismiss: DismissAction { DismissAction() }
    public var openURL: OpenURLAction { OpenURLAction() }
}

@MainActor @preconcurrency @propertyWrapper public struct Environment<Value> {
    private let path: KeyPath<EnvironmentValues, Value>
    public init(_ path: KeyPath<EnvironmentValues, Value>) { self.path = path }
    public var wrappedValue: Value { EnvironmentValues()[keyPath: path] }
}

@MainActor @preconcurrency @propertyWrapper public struct AppStorage<Value> {
    private let key: String
    private let value: Value
    public init(wrappedValue: Value, _ key: String) where Value == Bool { (self.key, value) = (key, wrappedValue) }
    public init(wrappedValue: Value, _ key: String) where Value == String { (self.key, value) = (key, wrappedValue) }
    public var wrappedValue: Value {
        get { UserDefaults.standard.object(forKey: key) as? Value ?? value }
        nonmutating set { UserDefaults.standard.set(newValue, forKey: key) }
    }
}
