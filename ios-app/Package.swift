// swift-tools-version: 6.0
import PackageDescription

// For Linux alone: type-checks the app against stand-ins for Apple's frameworks and runs its camera code on
// synthetic frames. On a Mac open App/Osprey.xcodeproj.
let frameworks = ["CoreVideo", "CoreMedia", "CoreImage", "AVFoundation", "UIKit", "CoreMotion", "SwiftUI", "Charts"]
let imports: [String: [String]] = [
    "CoreMedia": ["CoreVideo"], "CoreImage": ["CoreVideo"], "AVFoundation": ["CoreMedia"],
    "UIKit": ["AVFoundation", "CoreImage"], "SwiftUI": ["UIKit"], "Charts": ["SwiftUI"],
]

func standIn(_ name: String) -> Target {
    .target(
        name: name, dependencies: (imports[name] ?? []).map { .init(stringLiteral: $0) },
        path: "linux/StandIns/\(name)")
}

// libswiftObservation of Swift 6.0 names a symbol that no library has; it is called when threads cannot be made.
let observation: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"])]

let package = Package(
    name: "OspreyAppCheck",
    targets: frameworks.map(standIn) + [
        .systemLibrary(name: "OspreyFFI", path: "OspreyKit/Sources/OspreyFFI"),
        .target(name: "OspreyBridge", dependencies: ["OspreyFFI"], path: "OspreyKit/Sources/OspreyBridge"),
        .target(
            name: "OspreyKit", dependencies: ["OspreyBridge", "CoreVideo", "UIKit"],
            path: "OspreyKit/Sources/OspreyKit"),
        .executableTarget(
            name: "Osprey", dependencies: ["OspreyKit"] + frameworks.map { .init(stringLiteral: $0) },
            path: "App/Osprey", exclude: ["Assets.xcassets", "Info.plist", "PrivacyInfo.xcprivacy"], linkerSettings: observation),
        .testTarget(
            name: "AppTests", dependencies: ["Osprey"], path: "linux/AppTests", linkerSettings: observation),
    ],
    swiftLanguageModes: [.v6]
)
