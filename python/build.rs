//! What a linker must be told of an extension whose symbols Python provides.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
