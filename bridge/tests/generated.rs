//! The Swift package holds what this crate generates. `REGENERATE=1` writes it there.

use std::path::Path;

const PLACES: [(&str, &str); 4] = [
    ("SwiftBridgeCore.swift", "Sources/OspreyBridge/Generated"),
    ("Border.swift", "Sources/OspreyBridge/Generated"),
    ("SwiftBridgeCore.h", "Sources/OspreyFFI"),
    ("Border.h", "Sources/OspreyFFI"),
];

#[test]
fn the_committed_border_is_the_generated_one() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ios-app/OspreyKit");
    for (file, folder) in PLACES {
        let generated = std::fs::read_to_string(Path::new(env!("OSPREY_GENERATED")).join(file)).unwrap();
        let path = package.join(folder).join(file);
        if std::env::var_os("REGENERATE").is_some_and(|v| v == "1") {
            std::fs::create_dir_all(package.join(folder)).unwrap();
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{} is not what src/border.rs asks for; run REGENERATE=1 cargo test -p osprey-bridge --test generated",
            path.display()
        );
    }
}
