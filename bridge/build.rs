//! Has swift-bridge write the Swift and the C of the border into the build folder, in the form in which
//! they are committed in the Swift package.

use std::path::Path;
use std::{env, fs, io};

const BORDER: &str = "src/border.rs";
/// Name of the C module in the Swift package.
const C_MODULE: &str = "OspreyFFI";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={BORDER}");
    let out = env::var_os("OUT_DIR").ok_or(io::Error::other("cargo sets OUT_DIR"))?;
    let out = Path::new(&out).join("generated");
    let raw = out.join("raw");
    swift_bridge_build::parse_bridges([BORDER]).write_all_concatenated(&raw, "osprey-bridge");
    for (from, to) in [
        ("SwiftBridgeCore.swift", "SwiftBridgeCore.swift"),
        ("osprey-bridge/osprey-bridge.swift", "Border.swift"),
    ] {
        let code = fs::read_to_string(raw.join(from))?;
        fs::write(out.join(to), format!("import {C_MODULE}\n\n{}\n", trimmed(&code)))?;
    }
    for (from, to) in
        [("SwiftBridgeCore.h", "SwiftBridgeCore.h"), ("osprey-bridge/osprey-bridge.h", "Border.h")]
    {
        let code = fs::read_to_string(raw.join(from))?;
        let include = if to == "Border.h" { "#include \"SwiftBridgeCore.h\"\n" } else { "" };
        fs::write(out.join(to), format!("#pragma once\n{include}{}\n", trimmed(&code)))?;
    }
    println!("cargo::rustc-env=OSPREY_GENERATED={}", out.display());
    Ok(())
}

/// Without spaces at the ends of lines and empty lines at the end.
fn trimmed(code: &str) -> String {
    code.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
