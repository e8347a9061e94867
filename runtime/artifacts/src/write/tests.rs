use super::*;
use crate::RawTensor;

/// The smallest model: two viewers, three titles, popularity.
fn write_popularity(dir: &Path, plays: &[f32; 3]) -> Result<Digest, WriteError> {
    let mut writer = Writer::create(dir)?;
    writer.tensors(
        "weights.safetensors",
        &[
            TensorData::f32("title.plays", &[3], plays),
            TensorData::u32("history.offsets", &[3], &[0, 2, 3]),
            TensorData::u32("history.titles", &[3], &[0, 2, 1]),
            TensorData::u32("history.sequence", &[3], &[2, 0, 1]),
        ],
    )?;
    writer.ids(Role::Viewers, ["ann", "bob"])?;
    writer.ids(Role::Titles, ["10", "20", "30"])?;
    writer.finish(Architecture::named("popularity"), Default::default(), Lineage::default(), None)
}

fn plays(dir: &Path) -> Vec<f32> {
    open(dir, &OpenOptions::default()).unwrap().tensor_f32("title.plays", &[3]).unwrap().to_vec()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_opens_under_its_digest() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("new/model");
    let digest = write_popularity(&dir, &[2.0, 1.0, 1.0]).unwrap();
    let artifact = open(&dir, &OpenOptions { expected: Some(digest), ..OpenOptions::default() }).unwrap();
    assert_eq!(artifact.digest, digest);
    assert_eq!(artifact.viewers.unwrap().row("bob").map(|row| row.0), Some(1));
    assert_eq!(artifact.tensors["history.titles"].as_u32(), Some(&[0, 2, 1][..]));
    assert_eq!(names(root.path()), ["new"]);
    assert_eq!(names(&root.path().join("new")), ["model"], "nothing is left beside it");
    assert_eq!(names(&dir), ["marquee.json", "titles.jsonl", "viewers.jsonl", "weights.safetensors"]);
}

#[test]
fn the_same_input_gives_the_same_digest() {
    let root = tempfile::tempdir().unwrap();
    let digests = ["a", "b"].map(|name| write_popularity(&root.path().join(name), &[3.0, 2.0, 1.0]).unwrap());
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn an_older_artifact_is_replaced_and_stays_mapped_by_its_readers() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    write_popularity(&dir, &[1.0, 1.0, 1.0]).unwrap();
    let old = open(&dir, &OpenOptions::default()).unwrap();
    write_popularity(&dir, &[9.0, 9.0, 9.0]).unwrap();
    assert_eq!(plays(&dir), [9.0, 9.0, 9.0]);
    assert_eq!(old.tensor_f32("title.plays", &[3]).unwrap(), [1.0, 1.0, 1.0]);
    assert_eq!(names(root.path()), ["model"]);
}

#[test]
fn an_unsound_artifact_is_never_published() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    write_popularity(&dir, &[1.0, 2.0, 3.0]).unwrap();
    let error = write_popularity(&dir, &[1.0, f32::NAN, 3.0]).unwrap_err();
    let WriteError::Refused { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("found NaN at element 1"), "{source}");
    assert_eq!(plays(&dir), [1.0, 2.0, 3.0]);
    assert_eq!(names(root.path()), ["model"]);
}

#[test]
fn a_folder_of_something_else_is_never_replaced() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("thesis.tex"), "years of work").unwrap();
    let error = Writer::create(root.path()).unwrap_err();
    let expected = format!(
        "{} holds something other than an artifact: name another folder, or empty this one",
        root.path().display()
    );
    assert_eq!(error.to_string(), expected);
    let file = root.path().join("thesis.tex");
    assert!(matches!(Writer::create(&file), Err(WriteError::Occupied { .. })), "a file is no folder");
}

#[test]
fn a_tensor_whose_data_is_not_its_shape_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(&root.path().join("model")).unwrap();
    let error = writer.tensors("w.safetensors", &[TensorData::f32("bias", &[2, 2], &[0.0; 3])]).unwrap_err();
    assert_eq!(error.to_string(), "tensor `bias` has 12 bytes of data, expected 16 for F32 [2, 2]");
}

#[test]
fn what_no_table_may_hold_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(&root.path().join("model")).unwrap();
    let error = writer.ids(Role::Titles, ["a", ""]).unwrap_err();
    assert_eq!(error.to_string(), "titles.jsonl: expected an id, found an empty one in line 2");
    let error = writer.tensors("../weights", &[]).unwrap_err();
    assert!(error.to_string().starts_with("../weights: expected a path within the folder"), "{error}");
    assert!(!root.path().join("weights").exists());
}

#[test]
fn a_killed_writer_leaves_nothing_that_looks_whole_and_the_next_sweeps_up() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    let mut killed = Writer::create(&dir).unwrap();
    killed.ids(Role::Viewers, ["ann"]).unwrap();
    let running = Writer::create(&dir).unwrap();
    assert!(open(&dir, &OpenOptions::default()).is_err());
    // A killed process drops nothing but its descriptors, the lock among them.
    drop(killed.abandon());
    assert_eq!(names(root.path()).len(), 2);
    write_popularity(&dir, &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(names(root.path()).len(), 2, "the killed one's is gone, the running one's is not");
    drop(running);
    assert_eq!(names(root.path()), ["model"]);
}

/// Runs this very test again in a process that may write no file above 64 KiB: the disk as good as full.
#[test]
fn a_full_disk_leaves_the_old_artifact_and_no_debris() {
    const PLACE: &str = "MARQUEE_TEST_FULL_DISK";
    if let Some(dir) = std::env::var_os(PLACE) {
        let mut writer = Writer::create(Path::new(&dir)).unwrap();
        let large = vec![0f32; 100_000];
        let error =
            writer.tensors("weights.safetensors", &[TensorData::f32("a", &[100_000], &large)]).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("File too large"), "{source}");
        let dir = Path::new(&dir).display();
        assert_eq!(
            error.to_string(),
            format!("cannot write {dir}/weights.safetensors: what lay at {dir} is unchanged")
        );
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    write_popularity(&dir, &[1.0, 2.0, 3.0]).unwrap();
    // An ignored signal stays ignored over exec, so that the write fails instead of the process.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact write::tests::a_full_disk_leaves_the_old_artifact_and_no_debris";
    let child = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(PLACE, &dir)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
    assert_eq!(plays(&dir), [1.0, 2.0, 3.0]);
    assert_eq!(names(root.path()), ["model"]);
}

#[test]
fn a_draft_is_readable_before_and_after_the_end() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    let mut writer = Writer::create(&dir).unwrap();
    let tensors = [
        TensorData::f32("title.plays", &[1], &[5.0]),
        TensorData::u32("history.offsets", &[2], &[0, 1]),
        TensorData::u32("history.titles", &[1], &[0]),
        TensorData::u32("history.sequence", &[1], &[0]),
    ];
    writer.tensors("weights.safetensors", &tensors).unwrap();
    writer.ids(Role::Viewers, ["ann"]).unwrap();
    writer.ids(Role::Titles, ["10"]).unwrap();
    let draft =
        writer.draft(Architecture::named("popularity"), &Default::default(), &Lineage::default()).unwrap();
    let score = draft.tensor_f32("title.plays", &[1]).unwrap()[0];
    let case = crate::GoldenCase { viewer: None, recent: vec![], titles: vec![0], scores: vec![score] };
    let golden = Golden { tolerance: 1e-4, cases: vec![case] };
    writer
        .finish(
            Architecture::named("popularity"),
            Default::default(),
            Lineage::default(),
            Some(golden.clone()),
        )
        .unwrap();
    assert_eq!(open(&dir, &OpenOptions::default()).unwrap().manifest.golden, Some(golden));
    assert_eq!(draft.tensors["title.plays"].as_f32(), Some(&[5.0][..]));
}

#[test]
fn the_format_is_that_of_the_safetensors_crate() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    write_popularity(&dir, &[1.0, 2.0, 3.0]).unwrap();
    let bytes = std::fs::read(dir.join("weights.safetensors")).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let ours = crate::parse_weights(&bytes::Bytes::from(bytes.clone()), &Limits::default()).unwrap();
    assert_eq!(theirs.len(), ours.len());
    for (name, tensor) in theirs.tensors() {
        let RawTensor { shape, data, .. } = &ours[&name];
        assert_eq!((tensor.shape(), tensor.data()), (&shape[..], &data[..]), "{name}");
    }
}
