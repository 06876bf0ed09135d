//! Building self-describing boards, as users do it.

use std::path::Path;
use std::process::Command;

use firmware_proto::descriptor::Descriptor;

use crate::board::{Board, rig};
use crate::support::PROGRAM;
use crate::wire::Wire;

/// The project's own directory.
fn repo(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_documentations_makefile_builds_a_board_that_tells_its_label() {
    let label = "Window's \"left\" one";
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(repo("tests/firmware/graphs/led.fbp"), dir.path().join("blink.fbp")).unwrap();
    let make = || {
        let mut make = Command::new("make");
        make.current_dir(dir.path()).arg("-f").arg(repo("firmware-proto/arduino/described.mk"));
        make.args(["GRAPH=blink.fbp", &format!("LABEL={label}"), &format!("BRIDGE={PROGRAM}")]);
        let output = make.arg(format!("MODULES={}", rig("npm/node_modules").display())).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(make().contains("avr-objcopy"));
    assert!(!make().contains("avr-objcopy"), "nothing is left to do");
    let board = Board::uno(&dir.path().join("build/blink-uno/firmware.elf"), dir.path());
    let reader = Wire::open(board.link()).read(false);
    assert_eq!(Descriptor::read(reader.content().unwrap()).unwrap().fixed().label, label);
}

#[test]
fn firmware_is_not_built_with_the_header_of_another_build() {
    let build = rig("linux/described");
    let modules = rig("npm/node_modules");
    let dir = tempfile::tempdir().unwrap();
    let compile = |extra: &[&str]| {
        let mut compiler = Command::new("g++");
        compiler.args(["-std=c++11", "-w", "-fsyntax-only"]).args(extra).arg("-I").arg(&build);
        compiler
            .arg("-I")
            .arg(modules.join("microflo/microflo"))
            .arg("-I")
            .arg(modules.join("microflo-core/components"));
        let output = compiler.arg(build.join("main.cpp")).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(compile(&[]), (true, String::new()));
    let (built, said) = compile(&["-DMICROFLO_NODE_LIMIT=20"]);
    assert!(!built && said.contains("--node-limit"), "{said}");
    let (built, said) = compile(&["-DMICROFLO_MESSAGE_LIMIT=30"]);
    assert!(!built && said.contains("--message-limit"), "{said}");
    // In front of the right one: the header of a graph of another length.
    let header = std::fs::read_to_string(build.join("descriptor.h")).unwrap();
    let other =
        header.replace("#define MICROFLO_DESCRIPTOR_GRAPH_BYTES ", "#define MICROFLO_DESCRIPTOR_GRAPH_BYTES 8 + ");
    std::fs::write(dir.path().join("descriptor.h"), other).unwrap();
    let (built, said) = compile(&["-I", dir.path().to_str().unwrap()]);
    assert!(!built && said.contains("another graph"), "{said}");
}
