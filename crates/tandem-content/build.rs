//! The content is compiled in; cargo must look at its folders to know when that is stale.

fn main() {
    println!("cargo:rerun-if-changed=../../content");
    println!("cargo:rerun-if-changed=../../samples");
}
