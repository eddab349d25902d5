//! The built console is compiled in: its folder must exist, and a new build must be noticed.

fn main() -> std::io::Result<()> {
    let console = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/build");
    std::fs::create_dir_all(console)?;
    println!("cargo:rerun-if-changed={console}");
    Ok(())
}
