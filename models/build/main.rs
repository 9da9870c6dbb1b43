//! Embeds the files in this folder and the manifest that describes them. A file that is mostly another one over
//! again, as the same weights for another picture size are, is embedded as what differs.

mod difference;

use difference::Difference;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = env::var_os("OUT_DIR").ok_or(io::Error::other("cargo sets OUT_DIR"))?;
    // A new file comes with a new line in the manifest; the folders of the training are none of this.
    println!("cargo::rerun-if-changed=manifest.toml");
    println!("cargo::rerun-if-changed=build");
    // A checkout without weights still builds; the program then asks for a model.
    let manifest = match env::var_os("CARGO_FEATURE_WEIGHTS") {
        Some(_) => fs::read_to_string(folder.join("manifest.toml")).unwrap_or_default(),
        None => String::new(),
    };
    let files = if manifest.is_empty() { Vec::new() } else { files(folder)? };
    let mut table = String::new();
    for (number, (name, bytes)) in files.iter().enumerate() {
        // One that is much smaller holds too little to be worth a look.
        let earlier = files.iter().take(number).enumerate();
        let earlier = earlier.filter(|(_, (_, other))| other.len() > bytes.len() / 2);
        let differences = earlier.map(|(base, (_, other))| (base, Difference::new(other, bytes)));
        let least = differences.min_by_key(|(_, difference)| difference.size());
        let content = match least.filter(|(_, difference)| difference.size() < bytes.len() / 2) {
            Some((base, difference)) => {
                fs::write(Path::new(&out).join(name), &difference.literals)?;
                let Difference { pieces, .. } = difference;
                let literals = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))");
                format!("Like {{ base: {base}, pieces: &{pieces:?}, literals: {literals} }}")
            }
            None => format!("Whole(include_bytes!({:?}))", folder.join(name)),
        };
        let _ = writeln!(table, "    File::new({name:?}, Content::{content}),");
    }
    let code = format!(
        "static MANIFEST: &str = {manifest:?};\nstatic FILES: [File; {}] = [\n{table}];\n",
        files.len()
    );
    fs::write(Path::new(&out).join("models.rs"), code)
}

/// Names and contents of models and labels, by name.
fn files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if let (Some("tflite" | "txt"), Some(name)) = (extension, path.file_name().and_then(|n| n.to_str())) {
            println!("cargo::rerun-if-changed={name}");
            files.push((name.to_owned(), fs::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
