//! `evaluate` and `catalogue` end to end, and what their errors say.

use std::fs;

use crate::world::{World, ratings};
use marquee_artifacts::{OpenOptions, open};
use serde_json::Value;

#[test]
fn an_artifact_is_measured_as_its_config_was() {
    let world = World::new();
    let text = ratings();
    world.write("r.csv", &text);
    // The last title of each viewer by time, as leave-last-out takes it: ties keep the order of the file.
    let mut last: std::collections::BTreeMap<&str, (u64, &str)> = std::collections::BTreeMap::new();
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let time: u64 = fields[3].parse().unwrap();
        if last.get(fields[0]).is_none_or(|(before, _)| *before <= time) {
            last.insert(fields[0], (time, row));
        }
    }
    let held: Vec<&str> = last.values().map(|(_, row)| *row).collect();
    world.write("held.csv", &format!("viewer,title,rating,time\n{}\n", held.join("\n")));

    world.run("train --algorithm ease --data @r.csv --protocol leave-last-out --output @ease").unwrap();
    world.run("evaluate --algorithm ease --data @r.csv --json @config.json").unwrap();
    let printed =
        world.run("evaluate --artifact @ease --data @held.csv --cutoff 10 --json @artifact.json").unwrap();
    assert!(printed.contains("popularity"), "the baseline is always beside: {printed}");
    let quality = |name: &str| {
        let reports: Value = serde_json::from_slice(&fs::read(world.path(name)).unwrap()).unwrap();
        reports[0]["quality"].clone()
    };
    assert_eq!(quality("artifact.json"), quality("config.json"));
}

#[test]
fn several_configs_stand_in_one_table() {
    let world = World::new();
    world.write("r.csv", &ratings());
    world.write(
        "ease.yaml",
        "algorithm: ease\ndata: { files: [r.csv] }\nprotocol: { kind: leave-last-out, cutoffs: [5] }\n",
    );
    world.write("als.yaml", "algorithm: implicit-als\nhyperparameters: { factors: 4 }\n");
    let printed = world.run("evaluate --config @ease.yaml --compare @als.yaml").unwrap();
    let heads: Vec<&str> = printed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(heads[heads.len() - 4..], ["model", "ease", "als", "popularity"], "{printed}");
}

#[test]
fn explicit_artifacts_are_measured_by_their_ratings() {
    let world = World::new();
    world.write("r.csv", &ratings());
    world.run("train --algorithm biased-mf --set factors=4 --data @r.csv --output @a").unwrap();
    let printed = world.run("evaluate --artifact @a --data @r.csv").unwrap();
    assert!(printed.contains("rmse") && printed.contains("mean"), "{printed}");
}

#[test]
fn a_catalogue_has_names_years_genres_and_plays() {
    let world = World::new();
    world.write("r.csv", "viewer,title\na,1\nb,1\nb,1\na,9\n");
    world.write("t.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tÀ \"bout\" & co\t1960\tFilm-Noir Children's Sci-Fi\n2\tOther\tV\tunknown\n");
    let printed =
        world.run("catalogue --metadata @t.item --genre-separator space --data @r.csv --output @c").unwrap();
    assert!(
        printed.contains("1 titles have no year")
            && printed.contains("1 titles that were watched have no metadata"),
        "{printed}"
    );
    let artifact = open(&world.path("c"), &OpenOptions::default()).unwrap();
    let entries = artifact.catalogue.unwrap();
    assert_eq!(
        (entries[0].name.as_str(), entries[0].year, entries[0].plays),
        ("À \"bout\" & co", Some(1960), 2)
    );
    assert_eq!(entries[0].genres, ["Film-Noir", "Children's", "Sci-Fi"]);
    assert_eq!((entries[1].year, entries[1].plays), (None, 0));
}

#[test]
fn a_catalogue_names_titles_as_people_write_them_on_request() {
    let world = World::new();
    world.write("t.csv", "id,name\n25,\"Birdcage, The\"\n69,Forrest Gump\n");
    for (flag, first) in [("", "Birdcage, The"), ("--article-first ", "The Birdcage")] {
        world.run(&format!("catalogue --metadata @t.csv {flag}--output @c")).unwrap();
        let entries = open(&world.path("c"), &OpenOptions::default()).unwrap().catalogue.unwrap();
        let found: Vec<_> = entries.iter().map(|entry| (entry.id.as_str(), entry.name.as_str())).collect();
        assert_eq!(found, [("25", first), ("69", "Forrest Gump")], "{flag}");
    }
}

#[test]
fn what_cannot_be_done_is_said_with_the_mend_and_the_exit_code() {
    let world = World::new();
    world.write("r.csv", &ratings());
    world.write("n.csv", "viewer,title\na,x\nb,y\n");
    world.write("o.csv", "viewer,title,time\na,x,1\nb,y,2\n");
    world.write("t.csv", "id,name\n1,A\n1,B\n");
    world.write("other.csv", "viewer,title\nsomebody,something\nelse,more\n");
    fs::create_dir(world.path("taken")).unwrap();
    world.write("taken/letter.txt", "dear");
    world.run("train --algorithm ease --data @r.csv --output @ease").unwrap();
    world.run("catalogue --metadata @n.csv --id-column viewer --name-column title --output @cat").unwrap();
    #[rustfmt::skip]
    let cases = [
        (2, "train --data @r.csv", "nothing says what to fit: give --config FILE or --algorithm NAME"),
        (2, "train --algorithm ease --data @r.csv", "nothing says where the artifact goes: give --output FOLDER"),
        (3, "train --algorithm ease --output @a", "no data files given: name them with --data FILE or in the config under data.files"),
        (2, "train --algorithm ease --set factors=3 --data @r.csv --output @a", "--set `factors` is not a hyperparameter of ease (it has: `regularization`, `precision`)"),
        (2, "train --algorithm ease --set factors --data @r.csv --output @a", "--set `factors` must be NAME=VALUE, such as regularization=0.1"),
        (2, "train --algorithm ease --protocol fold:1/5 --data @r.csv --output @a", "protocol fold:1/5 measures predicted ratings, and ease predicts none: use leave-last-out"),
        (2, "train --algorithm ease --search --data @r.csv", "--search needs a `search` section in the config: name the hyperparameters and their ranges there"),
        (2, "train --algorithm ease --cutoff 0 --data @r.csv --output @a", "--cutoff: cutoffs must be whole numbers from 1"),
        (2, "train --config @absent.yaml --output @a", "absent.yaml: cannot be read: No such file or directory (os error 2)"),
        (3, "train --algorithm biased-mf --data @n.csv --output @a", "n.csv: no column `rating` for the rating; the columns are `viewer`, `title`: name it with --rating-column"),
        (3, "train --algorithm ease --protocol leave-last-out --data @n.csv --output @a", "n.csv: no column `time` or `timestamp` for the time; the columns are `viewer`, `title`; did you mean `title`?: name it with --time-column"),
        (3, "train --algorithm ease --protocol leave-last-out --data @o.csv --output @a", "protocol leave-last-out holds nothing out: every viewer has a single row"),
        (2, "train --algorithm bpr --set learningRate=1 --set initialDeviation=100 --set regularization=1000000000 --data @r.csv --output @a", "bpr cannot be fitted: bpr diverged at iteration 1: lower learningRate, or raise regularization"),
        (4, "train --algorithm ease --data @r.csv --output @taken", "taken holds something other than an artifact: name another folder, or empty this one"),
        (3, "evaluate --artifact @absent --data @r.csv", "artifact absent cannot be opened: "),
        (2, "evaluate --artifact @cat --data @r.csv", "cat is a catalogue: it ranks nothing; name a model's artifact"),
        (3, "evaluate --artifact @ease --data @other.csv", "no row has a viewer and a title that the artifact knows: is this the data it belongs to?"),
        (3, "catalogue --metadata @t.csv --output @a", "t.csv line 3, column `id`: expected an id that is not in t.csv line 2, found `1` again; mend it, or pass over up to N such rows with --skip-bad-rows N"),
        (3, "catalogue --metadata @r.csv --output @a", "r.csv: no column `id` or `title_id` or `item_id` or `movieId` for the id; the columns are `viewer`, `title`, `rating`, `time`"),
    ];
    for (code, line, expected) in cases {
        let error = world.run(line).expect_err(line);
        let message = world.message(&error);
        assert!(message.starts_with(expected), "{line}\n  expected {expected}\n  found    {message}");
        assert_eq!(error.exit_code(), code, "{line}");
        assert!(!world.path("a").exists(), "{line}: nothing was written");
    }
    assert_eq!(fs::read_to_string(world.path("taken/letter.txt")).unwrap(), "dear");
}
