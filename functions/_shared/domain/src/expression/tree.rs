//! What an expression is once it was read.

use super::functions::Function;
use crate::path::Path;
use crate::record::Value;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Literal(Value),
    /// What the rule reads, the element that is looked at, or a field of the record.
    Name(String),
    /// A path into the record.
    Field(Path),
    /// A field of what is there.
    Select(Box<Node>, String),
    /// Whether there is such a field.
    Has(Box<Node>, String),
    /// An element of a list, or a field of any name.
    Index(Pair),
    List(Vec<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Both(Pair),
    Either(Pair),
    /// The first that is not null.
    Otherwise(Vec<Node>),
    Choose(Box<[Node; 3]>),
    Sign(Sign, Pair),
    Call(Function, Vec<Node>),
    Each(Box<Each>),
}

/// Two sides.
pub(super) type Pair = Box<[Node; 2]>;

/// What stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
    Same,
    Differs,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}

/// What is asked of each element of a list: `list.map(name, condition, item)` and its kin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Each {
    pub(super) goal: Goal,
    pub(super) list: Node,
    pub(super) name: String,
    /// Which elements count; without it, each does.
    pub(super) condition: Option<Node>,
    /// What an element becomes in the new list.
    pub(super) item: Node,
}

/// What comes of looking at each element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The list of what they become.
    List,
    /// Whether one of them counts.
    Any,
    /// Whether each of them counts.
    All,
    /// Whether exactly one of them counts.
    One,
}
