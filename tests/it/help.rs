//! What helps people finish: help with examples, suggestions, completions, manual pages.

use crate::{Scratch, bandwho};

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = bandwho(&["--help"]).out;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_command_has_examples_that_begin_with_it() {
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in &commands {
        let help = bandwho(&[command, "--help"]);
        assert_eq!(help.code, 0);
        let (_, examples) =
            help.out.split_once("Examples:\n").unwrap_or_else(|| panic!("{command} has no examples"));
        assert!(examples.contains(&format!("bandwho {command} ")), "{command}: {examples}");
    }
}

#[test]
fn misspelt_words_are_answered_by_the_nearest() {
    let check = |args: &[&str], suggestion: &str| {
        let run = bandwho(args);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(suggestion), "{args:?}: {}", run.err);
    };
    check(&["top", "--sorted", "bytes"], "'--sort'");
    check(&["top", "--by", "pth"], "`path`");
    check(&["top", "--by", "path", "--sort", "byte"], "`bytes`");
    check(&["top", "--by", "path", "--columns", "client"], "`clients`");
    check(&["man", "tops"], "there are top, slots");
    check(&["completions", "bsh"], "'bash'");
}

#[test]
fn shells_can_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = bandwho(&["completions", shell]);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{shell}");
        for word in commands().iter().map(String::as_str).chain(["trusted-proxies", "lookup"]) {
            assert!(run.out.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let page = |words: &[&str]| {
        let run = bandwho(&[&["man"], words].concat());
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{words:?}");
        run.out
    };
    assert!(page(&[]).contains(".TH bandwho 1"));
    let lookup = page(&["ipdb", "lookup"]);
    assert!(lookup.contains(".TH bandwho-ipdb-lookup 1") && lookup.contains("Examples"), "{lookup}");
    let scratch = Scratch::new("man");
    let folder = scratch.0.to_str().unwrap().to_owned();
    assert_eq!(bandwho(&["man", "--all", &folder]).code, 0);
    for command in commands() {
        let file = scratch.0.join(format!("bandwho-{command}.1"));
        assert_eq!(std::fs::read_to_string(file).unwrap(), page(&[&command]), "{command}");
    }
    assert_eq!(bandwho(&["man", "--all", scratch.0.join("none").to_str().unwrap()]).code, 1);
}
