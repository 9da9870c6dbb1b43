// swift-tools-version: 6.0
import PackageDescription

// For Linux alone: type-checks the app against stand-ins for Apple's frameworks and runs its camera code on
// synthetic frames. Elsewhere the stand-ins would hide the frameworks.
#if !os(Linux)
fatalError("this package is for Linux; open App/Osprey.xcodeproj")
#endif

let frameworks = ["CoreVideo", "CoreMedia", "CoreImage", "AVFoundation", "UIKit", "CoreMotion", "UniformTypeIdentifiers", "SwiftUI", "Charts",
    "Photos", "PhotosUI", "AVKit"]
let imports: [String: [String]] = [
    "CoreMedia": ["CoreVideo"], "CoreImage": ["CoreVideo"], "AVFoundation": ["CoreMedia"],
    "UIKit": ["AVFoundation", "CoreImage"], "SwiftUI": ["UIKit", "UniformTypeIdentifiers"], "Charts": ["SwiftUI"],
    "Photos": ["UIKit"], "PhotosUI": ["SwiftUI"], "AVKit": ["SwiftUI"],
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
        .target(
            name: "OspreyUI",
            dependencies: ["OspreyKit"] + ["AVFoundation", "UIKit", "SwiftUI"].map { .init(stringLiteral: $0) },
            path: "OspreyKit/Sources/OspreyUI", exclude: ["OspreyUI.docc"]),
        .target(
            name: "Tutorials", dependencies: ["OspreyUI"],
            path: "OspreyKit/Sources/OspreyUI/OspreyUI.docc/Resources"),
        .executableTarget(
            name: "Osprey", dependencies: ["OspreyKit", "OspreyUI"] + frameworks.map { .init(stringLiteral: $0) },
            path: "App/Osprey", exclude: ["Acknowledgements.txt", "Assets.xcassets", "Info.plist", "Localizable.xcstrings", "PrivacyInfo.xcprivacy"],
            linkerSettings: observation),
        .testTarget(
            name: "AppTests", dependencies: ["Osprey", "OspreyUI"], path: "linux/AppTests", linkerSettings: observation),
    ],
    swiftLanguageModes: [.v6]
)
