//! Only for feature `torch`: the binary and the tests find the libtorch they were linked with, without
//! `LD_LIBRARY_PATH`, and can say which version it is. Without the feature this does nothing.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_TORCH").is_none() {
        return;
    }
    for name in ["LIBTORCH", "LIBTORCH_LIB"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let root = env::var_os("LIBTORCH_LIB").or_else(|| env::var_os("LIBTORCH")).map(PathBuf::from);
    let Some(root) = root else { return };
    let version_file = root.join("build-version");
    println!("cargo:rerun-if-changed={}", version_file.display());
    if let Ok(version) = std::fs::read_to_string(&version_file) {
        println!("cargo:rustc-env=SEQUESTER_LIBTORCH_VERSION={}", version.trim());
    }
    let folder = root.join("lib");
    let folder = folder.canonicalize().unwrap_or(folder);
    let windows = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "windows");
    if !windows {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
    }
    // Nothing in the program names a symbol of libtorch's part for graphics processors, which announces itself
    // when it is loaded: the linker would leave it out, and the program would find no such device.
    let cuda = folder.join("libtorch_cuda.so");
    if cuda.exists() {
        for argument in ["-Wl,--push-state,--no-as-needed", &cuda.display().to_string(), "-Wl,--pop-state"] {
            println!("cargo:rustc-link-arg-bin=sequester-torch={argument}");
        }
    }
}
