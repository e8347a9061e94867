//! Whatever a writer takes, `open` gives back.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::manifest::{Lineage, Role};
use crate::{Architecture, CatalogueEntry, OpenOptions, TensorData, Writer, open};

/// Ids as users have them: any script, quotes, backslashes, spaces; no control characters.
fn ids(most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("[^\\p{C}]{1,24}|[0-9]{1,6}", 1..most)
        .prop_map(|ids: BTreeSet<String>| ids.into_iter().collect())
}

/// Histories of `n_viewers` viewers over `n_titles` titles, compressed.
fn histories(n_viewers: usize, n_titles: usize) -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let one = prop::collection::btree_set(0..n_titles as u32, 0..=n_titles.min(6));
    prop::collection::vec(one, n_viewers).prop_map(|rows| {
        let mut offsets = vec![0];
        let mut titles = Vec::new();
        for row in rows {
            titles.extend(row);
            offsets.push(titles.len() as u32);
        }
        (offsets, titles)
    })
}

/// Viewers, titles, histories, and a weight for each pair of titles.
type Model = (Vec<String>, Vec<String>, (Vec<u32>, Vec<u32>), Vec<f32>);

fn model() -> impl Strategy<Value = Model> {
    (ids(12), ids(12)).prop_flat_map(|(viewers, titles)| {
        let histories = histories(viewers.len(), titles.len());
        let weights = prop::collection::vec(prop::num::f32::NORMAL, titles.len() * titles.len());
        (Just(viewers), Just(titles), histories, weights)
    })
}

fn entry() -> impl Strategy<Value = CatalogueEntry> {
    let genres = prop::collection::vec("[A-Z][a-z]{1,9}", 0..4);
    ("[^\\p{C}]{1,20}", "[A-Z][^\\p{C}]{0,20}", any::<Option<i32>>(), genres, any::<u64>())
        .prop_map(|(id, name, year, genres, plays)| CatalogueEntry { id, name, year, genres, plays })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_model_comes_back_as_it_was((viewers, titles, (offsets, watched), weights) in model()) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("model");
        let n_titles = titles.len();
        let plays = vec![1f32; n_titles];
        let mut writer = Writer::create(&dir).unwrap();
        writer.tensors("a/b.safetensors", &[TensorData::f32("weights", &[n_titles, n_titles], &weights)]).unwrap();
        writer.tensors("c.safetensors", &[
            TensorData::u32("history.offsets", &[offsets.len()], &offsets),
            TensorData::u32("history.titles", &[watched.len()], &watched),
            TensorData::f32("title.plays", &[n_titles], &plays),
        ]).unwrap();
        writer.ids(Role::Viewers, &viewers).unwrap();
        writer.ids(Role::Titles, &titles).unwrap();
        let digest = writer.finish(Architecture::named("ease"), Default::default(), Lineage::default(), None).unwrap();
        let options = OpenOptions { expected: Some(digest), ..OpenOptions::default() };
        let artifact = open(&dir, &options).unwrap();
        prop_assert_eq!(artifact.tensor_f32("weights", &[n_titles, n_titles]).unwrap(), &weights[..]);
        prop_assert_eq!(artifact.tensor_u32("history.titles", &[watched.len()]).unwrap(), &watched[..]);
        prop_assert_eq!(artifact.viewers.iter().flat_map(crate::IdTable::iter).collect::<Vec<_>>(), viewers);
        prop_assert_eq!(artifact.titles.iter().flat_map(crate::IdTable::iter).collect::<Vec<_>>(), titles);
    }

    #[test]
    fn a_catalogue_comes_back_as_it_was(entries in prop::collection::vec(entry(), 0..12)) {
        let mut seen = BTreeSet::new();
        let entries: Vec<_> = entries.into_iter().filter(|entry| seen.insert(entry.id.clone())).collect();
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("catalogue");
        let mut writer = Writer::create(&dir).unwrap();
        writer.catalogue(&entries).unwrap();
        writer.finish(Architecture::CATALOGUE, Default::default(), Lineage::default(), None).unwrap();
        let artifact = open(&dir, &OpenOptions::default()).unwrap();
        prop_assert_eq!(artifact.catalogue.unwrap(), entries);
    }
}
