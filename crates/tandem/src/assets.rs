//! The built console, compiled in.

use include_dir::{Dir, DirEntry, include_dir};
use tandem_site::Assets;

static BUILD: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../console/build");

/// The console's files; none where it was not built before the program.
pub(crate) fn console() -> Assets {
    let mut files = Vec::new();
    collect(&BUILD, &mut files);
    Assets::new(files)
}

fn collect(folder: &'static Dir<'static>, files: &mut Vec<(String, &'static [u8])>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => collect(inner, files),
            DirEntry::File(file) => {
                if let Some(path) = file.path().to_str() {
                    files.push((path.to_owned(), file.contents()));
                }
            }
        }
    }
}
