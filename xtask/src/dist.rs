//! A Debian package: of the very binary that was tested, so that a check needs no second profile, or of an optimised one for sites.

use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Builds `target/dist/tandem_VERSION_ARCH.deb` and answers its path. `--release` builds an optimised program first
/// (20 minutes from empty on two cores): several times faster, the same code.
pub(crate) fn deb(root: &Path, arguments: &[String]) -> Result<PathBuf> {
    let profile = match arguments {
        [] => "debug",
        [flag] if flag == "--release" => {
            crate::run(root, "cargo", &["build", "--release", "--workspace", "--bin", "tandem"])?;
            "release"
        }
        _ => bail!("`deb` takes nothing or --release"),
    };
    let binary = root.join("target").join(profile).join("tandem");
    if !binary.exists() {
        bail!("{} is not built; run `make build` first", binary.display());
    }
    let version = env!("CARGO_PKG_VERSION");
    let architecture = output(root, "dpkg", &["--print-architecture"])?;
    let name = format!("tandem_{version}_{architecture}");
    let tree = root.join("target/dist").join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let put = |from: &Path, to: &str, mode: u32| -> Result<()> {
        let to = tree.join(to);
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::copy(from, &to).with_context(|| format!("copying {}", from.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
        Ok(())
    };
    put(&binary, "usr/bin/tandem", 0o755)?;
    // Debug information stays in the checkout: a package is for running.
    let _ = crate::command(root, "strip").arg("--strip-debug").arg(tree.join("usr/bin/tandem")).status();
    put(&root.join("packaging/tandem.service"), "usr/lib/systemd/system/tandem.service", 0o644)?;
    put(&root.join("README.md"), "usr/share/doc/tandem/README.md", 0o644)?;
    put(&root.join("LICENSE"), "usr/share/doc/tandem/copyright", 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        put(&root.join("packaging/deb").join(script), &format!("DEBIAN/{script}"), 0o755)?;
    }
    let size_kib = fs::metadata(tree.join("usr/bin/tandem"))?.len() / 1024;
    let control = format!(
        "Package: tandem\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Tandem maintainers <maintainers@tandem.invalid>\n\
         Section: admin\nPriority: optional\nInstalled-Size: {size_kib}\nDepends: adduser, libc6, libgcc-s1\n\
         Description: SIEM that a customer and a security provider run together\n\
         \x20Collects security logs, stores them in open files, finds attacks in them with Sigma rules\n\
         \x20and turns what it finds into cases.\n"
    );
    fs::write(tree.join("DEBIAN/control"), control)?;
    let package = root.join("target/dist").join(format!("{name}.deb"));
    // Low compression: the package is made in every check.
    crate::run(
        root,
        "dpkg-deb",
        &["-Zgzip", "-z1", "--root-owner-group", "--build", &tree.to_string_lossy(), &package.to_string_lossy()],
    )?;
    fs::remove_dir_all(tree)?;
    Ok(package)
}

fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        crate::command(root, program).args(arguments).output().with_context(|| format!("starting {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
