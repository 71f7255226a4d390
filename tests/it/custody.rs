//! Files encrypted to a custodian beside the public client `age`.

use std::path::Path;
use std::process::Command;

use sequester::custody::age;

/// Whether the public client is there; says so loudly where it is not.
fn client(test: &str) -> bool {
    let there = Command::new("age").arg("--version").output().is_ok_and(|ran| ran.status.success());
    if !there {
        eprintln!("SKIPPED {test}: the program `age` is not there (Debian: apt-get install age)");
    }
    there
}

fn run(folder: &Path, program: &str, words: &[&str]) -> bool {
    Command::new(program).args(words).current_dir(folder).output().expect("runs").status.success()
}

#[test]
fn the_public_client_reads_what_is_written_here_and_writes_what_is_read_here() {
    if !client("the_public_client_reads_what_is_written_here_and_writes_what_is_read_here") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mut count = 0_u8;
    let mut random = |buffer: &mut [u8]| {
        count += 1;
        buffer.iter_mut().enumerate().for_each(|(i, byte)| *byte = count.wrapping_mul(31) ^ i as u8);
    };
    let ours = age::Identity::generate(&mut random);
    std::fs::write(at("ours.key"), ours.to_text().as_bytes()).expect("writes");
    assert!(run(folder.path(), "age-keygen", &["-o", "theirs.key"]));
    let theirs = std::fs::read_to_string(at("theirs.key")).expect("reads");
    let theirs = age::identities(&theirs).expect("a key of age-keygen").remove(0);
    let plain: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    for length in [0, 1, 65_536, plain.len()] {
        let plain = &plain[..length];
        let sealed =
            age::encrypt(plain, &[ours.recipient(), theirs.recipient()], &mut random).expect("encrypts");
        std::fs::write(at("sealed.age"), sealed).expect("writes");
        for key in ["ours.key", "theirs.key"] {
            assert!(run(folder.path(), "age", &["-d", "-i", key, "-o", "back", "sealed.age"]), "{key}");
            // Version 1.1 writes no file of nothing.
            assert_eq!(std::fs::read(at("back")).unwrap_or_default(), plain);
            let _ = std::fs::remove_file(at("back"));
        }
        std::fs::write(at("plain"), plain).expect("writes");
        let to = [ours.recipient().to_string(), theirs.recipient().to_string()];
        assert!(run(folder.path(), "age", &["-r", &to[0], "-r", &to[1], "-o", "back.age", "plain"]));
        let sealed = std::fs::read(at("back.age")).expect("reads");
        for key in [&ours, &theirs] {
            let back = age::decrypt(&sealed, std::slice::from_ref(key)).expect("decrypts");
            assert_eq!(back.as_slice(), plain);
        }
    }
    // What the client refuses is refused here: another key, a changed byte, armour by name.
    let stranger = age::Identity::generate(&mut random);
    let sealed = std::fs::read(at("back.age")).expect("reads");
    assert_eq!(age::decrypt(&sealed, &[stranger]).expect_err("another key").code.as_str(), "age-other-key");
    assert!(run(
        folder.path(),
        "age",
        &["-a", "-r", &ours.recipient().to_string(), "-o", "armoured", "plain"]
    ));
    let armoured = std::fs::read(at("armoured")).expect("reads");
    let refused = age::decrypt(&armoured, &[ours]).expect_err("armoured");
    assert!(refused.message.contains("armoured"), "{refused}");
}
