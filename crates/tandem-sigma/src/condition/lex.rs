//! Splits a condition into words and brackets.

/// A piece of a condition with the number of characters before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Open,
    Close,
    Pipe,
    Word(&'t str),
    /// A character that no condition has.
    Other(char),
}

/// All tokens of the text; nothing is refused here.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().enumerate().peekable();
    while let Some((offset, (start, character))) = characters.next() {
        let kind = match character {
            space if space.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '|' => Kind::Pipe,
            letter if is_word(letter) => {
                let mut end = start + letter.len_utf8();
                while let Some((_, (at, next))) = characters.next_if(|(_, (_, next))| is_word(*next)) {
                    end = at + next.len_utf8();
                }
                Kind::Word(&text[start..end])
            }
            other => Kind::Other(other),
        };
        tokens.push(Token { kind, offset });
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '*')
}
