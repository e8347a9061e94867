//! Names of titles as people write them: catalogues sort "Birdcage, The" under B, and a page shows "The Birdcage".

/// Articles that stand at the end of a name in catalogues such as MovieLens, by language. Those of more languages share a word.
#[rustfmt::skip]
const ARTICLES: [&str; 37] = [
    "The", "A", "An",                               // English
    "Le", "La", "Les", "L'", "L’", "Un", "Une",     // French
    "El", "Los", "Las", "Lo", "Una",                // Spanish
    "Il", "I", "Gli", "Uno", "Un'", "Un’",          // Italian
    "O", "Os", "As", "Um", "Uma",                   // Portuguese
    "Der", "Die", "Das", "Ein", "Eine",             // German
    "De", "Het",                                    // Dutch
    "Den", "Det", "En", "Ett",                      // Danish, Norwegian, Swedish
];

/// What stands before the other name of a title.
const ALSO_KNOWN_AS: [&str; 3] = ["a.k.a. ", "aka ", "AKA "];

/// Moves the article at the end of `name` to its beginning, in the name itself and in every name in parentheses behind it:
/// `Star Maker, The (Uomo delle stelle, L') (1995)` becomes `The Star Maker (L'Uomo delle stelle) (1995)`.
pub(crate) fn article_first(name: &str) -> String {
    let (own, others) = split_parentheses(name);
    let (prefix, own) = ALSO_KNOWN_AS
        .iter()
        .find_map(|prefix| own.split_at_checked(prefix.len()).filter(|(start, _)| start == prefix))
        .unwrap_or(("", own));
    let mut text = match own.trim_end().rsplit_once(", ") {
        Some((rest, article)) if is_article(article) && !rest.trim().is_empty() => {
            let space = if article.ends_with(['\'', '’']) { "" } else { " " };
            format!("{prefix}{article}{space}{rest}{}", &own[own.trim_end().len()..])
        }
        _ => format!("{prefix}{own}"),
    };
    for other in others {
        match other.strip_prefix('(').and_then(|other| other.strip_suffix(')')) {
            Some(inner) => text += &format!("({})", article_first(inner)),
            None => text += other,
        }
    }
    text
}

fn is_article(word: &str) -> bool {
    // The second is for names in capitals.
    ARTICLES.iter().any(|article| *article == word || article.to_uppercase() == word)
}

/// A name, and the balanced parentheses at its end with the space between them.
fn split_parentheses(name: &str) -> (&str, Vec<&str>) {
    let (mut own, mut others) = (name, Vec::new());
    while let Some(start) = last_opening(own) {
        others.push(&own[start..]);
        let before = own[..start].trim_end();
        others.push(&own[before.len()..start]);
        own = before;
    }
    others.reverse();
    (own, others)
}

/// Where the parentheses begin that end with the text; `None` where it does not end with parentheses behind a name.
fn last_opening(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (letter == '(' && !text[..at].trim().is_empty()).then_some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_at_the_end_comes_first_and_nothing_else_moves() {
        #[rustfmt::skip]
        let cases = [
            ("Birdcage, The",                                       "The Birdcage"),
            ("Birdcage, The (1996)",                                "The Birdcage (1996)"),
            ("BIRDCAGE, THE",                                       "THE BIRDCAGE"),
            ("Good, The Bad and The Ugly, The",                     "The Good, The Bad and The Ugly"),
            ("Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il) (1966)",
                                                                    "The Good, the Bad and the Ugly (Il Buono, il brutto, il cattivo) (1966)"),
            ("Englishman Who Went Up a Hill, But Came Down a Mountain, The", "The Englishman Who Went Up a Hill, But Came Down a Mountain"),
            ("Godfather: Part II, The",                             "The Godfather: Part II"),
            ("39 Steps, The",                                       "The 39 Steps"),
            ("Fish Called Wanda, A",                                "A Fish Called Wanda"),
            ("American in Paris, An",                               "An American in Paris"),
            ("Cité des enfants perdus, La",                         "La Cité des enfants perdus"),
            ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "The City of Lost Children (La Cité des enfants perdus) (1995)"),
            ("Double vie de Véronique, La (Double Life of Veronique, The)", "La Double vie de Véronique (The Double Life of Veronique)"),
            ("Fille seule, La (A Single Girl)",                     "La Fille seule (A Single Girl)"),
            ("Die xue shuang xiong (Killer, The)",                  "Die xue shuang xiong (The Killer)"),
            ("Enfer, L'",                                           "L'Enfer"),
            ("Enfer, L’ (1994)",                                    "L’Enfer (1994)"),
            ("Star Maker, The (Uomo delle stelle, L')",             "The Star Maker (L'Uomo delle stelle)"),
            ("Misérables, Les",                                     "Les Misérables"),
            ("Boot, Das (Boat, The) (1981)",                        "Das Boot (The Boat) (1981)"),
            ("Seventh Seal, The (Sjunde inseglet, Det)",            "The Seventh Seal (Det Sjunde inseglet)"),
            ("Convent, The (Convento, O)",                          "The Convent (O Convento)"),
            ("Vitelloni, I (1953)",                                 "I Vitelloni (1953)"),
            ("Laberinto del fauno, El",                             "El Laberinto del fauno"),
            ("Aanslag, De",                                         "De Aanslag"),
            ("Wings of Courage (a.k.a. Ailes du courage, Les) (1995)", "Wings of Courage (a.k.a. Les Ailes du courage) (1995)"),
            ("Cabinet, The (Kabinett (lang), Das)",                 "The Cabinet (Das Kabinett (lang))"),
            ("Mummy (1999), The",                                   "The Mummy (1999)"),
            // Nothing to move.
            ("Shall We Dance? (Shall We Dansu?)",                   "Shall We Dance? (Shall We Dansu?)"),
            ("Me, Myself & Irene",                                  "Me, Myself & Irene"),
            ("I, Worst of All (Yo, la peor de todas)",              "I, Worst of All (Yo, la peor de todas)"),
            ("Sex, Lies, and Videotape",                            "Sex, Lies, and Videotape"),
            ("Paris, Texas",                                        "Paris, Texas"),
            ("Corrina, Corrina",                                    "Corrina, Corrina"),
            ("To Wong Foo, Thanks for Everything! Julie Newmar",    "To Wong Foo, Thanks for Everything! Julie Newmar"),
            ("Truth or Consequences, N.M.",                         "Truth or Consequences, N.M."),
            ("The Birdcage",                                        "The Birdcage"),
            ("Birdcage,The",                                        "Birdcage,The"),
            ("Theatre, Theatre",                                    "Theatre, Theatre"),
            (", The",                                               ", The"),
            ("(500) Days of Summer",                                "(500) Days of Summer"),
            ("(Untitled)",                                          "(Untitled)"),
            ("Open (",                                              "Open ("),
            ("Closed) (odd), The",                                  "The Closed) (odd)"),
            ("Closed), The)",                                       "Closed), The)"),
            ("",                                                    ""),
        ];
        for (name, expected) in cases {
            assert_eq!(article_first(name), expected, "{name}");
            assert_eq!(article_first(expected), expected, "a second time: {name}");
        }
    }
}
