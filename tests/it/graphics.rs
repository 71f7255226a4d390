//! What `--device cuda` means where no graphics processor is at hand: how the program with libtorch is
//! started.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// What stands in for the program with libtorch says what it was started with.
fn started(arguments: &[&str], rounding: Option<&str>) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let program = folder.path().join("stand-in");
    std::fs::write(&program, "#!/bin/sh\necho \"rounding ${NVIDIA_TF32_OVERRIDE-unset}: $*\"\n")
        .expect("writes");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("allows");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequester"));
    command.args(arguments).env("SEQUESTER_TORCH", &program).env_remove("NVIDIA_TF32_OVERRIDE");
    if let Some(rounding) = rounding {
        command.env("NVIDIA_TF32_OVERRIDE", rounding);
    }
    let output = command.output().expect("starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_network_on_a_graphics_processor_computes_with_whole_32_bit_floats_whatever_the_surroundings_say() {
    for rounding in [None, Some("1"), Some("0"), Some("")] {
        let said = started(&["score", "study", "--device", "cuda:1"], rounding);
        assert_eq!(said, "rounding 0: score study --device cuda:1\n", "{rounding:?}");
        let said = started(&["train", "study", "--device", "cuda"], rounding);
        assert_eq!(said, "rounding 0: train study --device cuda\n", "{rounding:?}");
    }
}
