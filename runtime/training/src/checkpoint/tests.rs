use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;

fn identity(config: &str, data: &str) -> Identity {
    Identity { config: config.to_owned(), data: data.to_owned() }
}

fn state() -> State {
    let values = vec![1.0, -0.0, f32::MIN_POSITIVE, f32::MAX, 0.1];
    State {
        algorithm: "bpr".to_owned(),
        iteration: 3,
        fingerprint: "epochs 9".to_owned(),
        tensors: BTreeMap::from([("a".to_owned(), values), ("b".to_owned(), Vec::new())]),
    }
}

#[test]
fn a_state_comes_back_bit_for_bit() {
    let folder = TempDir::new().unwrap();
    let checkpoint = Checkpoint::new(&folder.path().join("new"), "x", identity("c", "d")).unwrap();
    assert_eq!(checkpoint.load().unwrap(), None, "there is none yet");
    checkpoint.save(&state()).unwrap();
    let found = checkpoint.load().unwrap().unwrap();
    assert_eq!(found, state());
    assert_eq!(found.tensors["a"][1].to_bits(), (-0.0_f32).to_bits());
    checkpoint.remove().unwrap();
    checkpoint.remove().unwrap();
    assert_eq!(checkpoint.load().unwrap(), None);
}

#[test]
fn another_run_is_refused_with_the_mend() {
    let folder = TempDir::new().unwrap();
    let at = |config, data| Checkpoint::new(folder.path(), "x", identity(config, data)).unwrap();
    at("bpr", "d").save(&state()).unwrap();
    let message = |config, data| {
        let error = at(config, data).load().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string().replace(&format!("{}/", folder.path().display()), "")
    };
    let mend = "resume with the config and data it was written under, or remove it to start anew";
    assert_eq!(
        message("ease", "d"),
        format!("checkpoint x.checkpoint was written under another config (bpr there, ease here): {mend}")
    );
    assert_eq!(message("bpr", "e"), format!("checkpoint x.checkpoint was written from other data: {mend}"));
}

#[test]
fn a_damaged_file_is_refused_wherever_the_damage_is() {
    let folder = TempDir::new().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "x", identity("c", "d")).unwrap();
    checkpoint.save(&state()).unwrap();
    let whole = fs::read(checkpoint.path()).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        fs::write(checkpoint.path(), &bytes).unwrap();
        assert!(checkpoint.load().is_err(), "byte {at} was changed");
    }
    for end in 0..whole.len() {
        fs::write(checkpoint.path(), &whole[..end]).unwrap();
        assert!(checkpoint.load().is_err(), "cut off at {end}");
    }
}
