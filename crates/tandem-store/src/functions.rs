//! Scalar functions of ours that queries compile to.

use crate::encode::Cells;
use crate::extra;
use crate::layout::arrow_type;
use crate::matcher::{Matcher, TokenRun};
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tandem_model::FieldType;
use tandem_query::{RegexError, Test};

/// A test of one column as a function of that column: never null.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// What it does, as text; two leaves of one text are one function.
    key: String,
    pub(crate) kind: LeafKind,
    signature: Signature,
}

/// What a leaf tests.
#[derive(Debug)]
pub(crate) enum LeafKind {
    /// The values of the column.
    Column(Matcher),
    /// The member `name` of the column, which is `extra`.
    Extra { name: String, matcher: Matcher },
    /// A run of tokens in the column, which is `raw`.
    Tokens(TokenRun),
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Leaf {}

impl Hash for Leaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl Leaf {
    fn call(key: String, kind: LeafKind, column: Expr) -> Expr {
        let signature = Signature::any(1, Volatility::Immutable);
        ScalarUDF::new_from_impl(Self { key, kind, signature }).call(vec![column])
    }

    /// `test` on the values of `column`.
    pub(crate) fn column(test: &Test, column: Expr) -> Result<Expr, RegexError> {
        Ok(Self::call(format!("test({test:?})"), LeafKind::Column(Matcher::new(test)?), column))
    }

    /// `test` on the member `name` of `extra`.
    pub(crate) fn extra(name: &str, test: &Test, extra: Expr) -> Result<Expr, RegexError> {
        let kind = LeafKind::Extra { name: name.to_owned(), matcher: Matcher::new(test)? };
        Ok(Self::call(format!("extra({name:?}, {test:?})"), kind, extra))
    }

    /// The run `tokens` in `raw`.
    pub(crate) fn tokens(tokens: &[String], raw: Expr) -> Expr {
        Self::call(format!("tokens({tokens:?})"), LeafKind::Tokens(TokenRun::new(tokens)), raw)
    }

    fn run(&self, array: &ArrayRef) -> BooleanArray {
        let texts = |passes: &dyn Fn(&str) -> bool| -> BooleanArray {
            let text = |row| crate::decode::text_at(array, row).is_some_and(passes);
            (0..array.len()).map(|row| Some(text(row))).collect()
        };
        match &self.kind {
            LeafKind::Column(matcher) => matcher.array(array),
            LeafKind::Extra { name, matcher } => {
                texts(&|text| extra::member(text, name).is_some_and(|value| matcher.value(&value)))
            }
            LeafKind::Tokens(tokens) => texts(&|text| tokens.is_in(text)),
        }
    }
}

impl ScalarUDFImpl for Leaf {
    fn name(&self) -> &str {
        &self.key
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(array)] => Ok(ColumnarValue::Array(Arc::new(self.run(array)))),
            [ColumnarValue::Scalar(scalar)] => {
                let passes = self.run(&scalar.to_array()?).value(0);
                Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(passes))))
            }
            _ => exec_err!("a leaf takes one column"),
        }
    }
}

/// What a member of `extra` is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// A column of this type.
    Column(FieldType),
    /// The key column of an address.
    Key,
}

/// A member of `extra` as the column that it would have had: for files that are older than the column.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    name: String,
    target: Target,
    signature: Signature,
}

impl Member {
    pub(crate) fn new(name: &str, target: Target) -> Self {
        Self { name: name.to_owned(), target, signature: Signature::any(1, Volatility::Immutable) }
    }

    fn run(&self, array: &ArrayRef) -> ArrayRef {
        let kind = match self.target {
            Target::Column(kind) => kind,
            Target::Key => FieldType::Ip,
        };
        let mut cells = Cells::new(kind);
        for row in 0..array.len() {
            let value = crate::decode::text_at(array, row).and_then(|text| extra::member(text, &self.name));
            if !value.is_some_and(|value| cells.take(&value)) {
                cells.null();
            }
        }
        match (cells.finish(), self.target) {
            ((_, Some(key)), Target::Key) => key,
            ((column, _), _) => column,
        }
    }
}

impl ScalarUDFImpl for Member {
    fn name(&self) -> &'static str {
        "extra_member"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.target {
            Target::Column(kind) => arrow_type(kind),
            Target::Key => DataType::Binary,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(array)] => Ok(ColumnarValue::Array(self.run(array))),
            [ColumnarValue::Scalar(scalar)] => {
                let value = ScalarValue::try_from_array(&self.run(&scalar.to_array()?), 0)?;
                Ok(ColumnarValue::Scalar(value))
            }
            _ => exec_err!("a member takes the column `extra`"),
        }
    }
}

/// `extra_text(extra, 'name')`: for SQL, the text of a field that has no column; a list is joined by `, `.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExtraText {
    signature: Signature,
}

impl ExtraText {
    pub(crate) fn function() -> ScalarUDF {
        ScalarUDF::new_from_impl(Self { signature: Signature::string(2, Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for ExtraText {
    fn name(&self) -> &'static str {
        "extra_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [texts, names] = arrays.as_slice() else { return exec_err!("extra_text takes two texts") };
        let mut builder = arrow::array::StringViewBuilder::with_capacity(texts.len());
        for row in 0..texts.len() {
            let value = crate::decode::text_at(texts, row)
                .zip(crate::decode::text_at(names, row))
                .and_then(|(text, name)| extra::member(text, name));
            builder.append_option(value.map(|value| value.to_string()));
        }
        Ok(ColumnarValue::Array(Arc::new(builder.finish())))
    }
}
