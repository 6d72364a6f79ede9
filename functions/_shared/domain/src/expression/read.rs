//! From text to a tree: `cel` reads the text, and what it read becomes our own nodes, or is refused.

use super::functions;
use super::source;
use super::tree::{Each, Goal, Node, Sign};
use super::{BadExpression, MAX_LENGTH};
use crate::decimal;
use crate::record::Value;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::parser::PrattParser;

/// The deepest tree; a long chain of signs makes a deep one as well.
const MAX_DEPTH: usize = 100;
/// How many brackets may stand in each other.
const MAX_NESTING: u16 = 40;

/// Why something that was read is none of ours, and the word to point at.
struct Refusal {
    word: String,
    reason: String,
}

fn refuse<T>(word: &str, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { word: word.to_owned(), reason: reason.into() })
}

pub(super) fn read(text: &str) -> Result<Node, BadExpression> {
    if text.chars().count() > MAX_LENGTH {
        let reason = format!("longer than {MAX_LENGTH} characters");
        return Err(BadExpression { at: MAX_LENGTH, reason });
    }
    source::check_numbers(text)?;
    let parser = PrattParser::default().max_recursion_depth(MAX_NESTING);
    let found = parser.parse(text).map_err(|errors| source::first(text, &errors))?;
    node(found, 0).map_err(|refusal| BadExpression {
        at: source::place_of(text, &refusal.word),
        reason: refusal.reason,
    })
}

fn node(found: IdedExpr, depth: usize) -> Result<Node, Refusal> {
    let depth = depth.saturating_add(1);
    if depth > MAX_DEPTH {
        return refuse("", "too deep");
    }
    match found.expr {
        Expr::Literal(literal) => value(&literal).map(Node::Literal),
        Expr::Ident(name) if name.starts_with('.') => {
            refuse(name.trim_start_matches('.'), "a name does not begin with a dot")
        }
        Expr::Ident(name) => Ok(Node::Name(name)),
        Expr::Select(select) => {
            let inside = Box::new(node(*select.operand, depth)?);
            Ok(if select.test { Node::Has(inside, select.field) } else { Node::Select(inside, select.field) })
        }
        Expr::List(list) => nodes(list.elements, depth).map(Node::List),
        Expr::Call(found) => call(found, depth),
        Expr::Comprehension(found) => each(*found, depth),
        Expr::Map(_) | Expr::Struct(_) => refuse("", "an object cannot be written in an expression"),
        Expr::Unspecified => refuse("", "something is missing"),
    }
}

fn nodes(found: impl IntoIterator<Item = IdedExpr>, depth: usize) -> Result<Vec<Node>, Refusal> {
    found.into_iter().map(|found| node(found, depth)).collect()
}

/// A fraction is a float here for the last time: the shortest text of it is the one that was written.
fn value(literal: &LiteralValue) -> Result<Value, Refusal> {
    Ok(match literal {
        LiteralValue::Null => Value::Null,
        LiteralValue::Boolean(truth) => Value::Bool(*truth.inner()),
        LiteralValue::String(text) => Value::String(text.inner().to_owned()),
        LiteralValue::Int(number) => Value::from(*number.inner()),
        LiteralValue::UInt(number) => Value::from(*number.inner()),
        LiteralValue::Double(number) => match decimal::read(&number.inner().to_string()) {
            Some(number) => decimal::to_value(number),
            None => return refuse("", "this number has more than 28 digits"),
        },
        LiteralValue::Bytes(_) => return refuse("", "bytes cannot be written in an expression"),
    })
}

/// A sign, or a function that exists with as many arguments as it takes. `a.f(b)` is `f(a, b)`.
fn call(found: CallExpr, depth: usize) -> Result<Node, Refusal> {
    let name = found.func_name;
    let arguments = nodes(found.target.map(|target| *target).into_iter().chain(found.args), depth)?;
    if let Some(sign) = sign(&name) {
        return several(arguments).map(|pair| Node::Sign(sign, pair));
    }
    match name.as_str() {
        operators::CONDITIONAL => several(arguments).map(Node::Choose),
        operators::LOGICAL_AND => several(arguments).map(Node::Both),
        operators::LOGICAL_OR => several(arguments).map(Node::Either),
        operators::INDEX => several(arguments).map(Node::Index),
        operators::LOGICAL_NOT => single(arguments).map(Node::Not),
        operators::NEGATE => single(arguments).map(Node::Minus),
        _ => function(&name, arguments),
    }
}

fn sign(name: &str) -> Option<Sign> {
    Some(match name {
        operators::ADD => Sign::Plus,
        operators::SUBSTRACT => Sign::Minus,
        operators::MULTIPLY => Sign::Times,
        operators::DIVIDE => Sign::Over,
        operators::MODULO => Sign::Rest,
        operators::EQUALS => Sign::Same,
        operators::NOT_EQUALS => Sign::Differs,
        operators::LESS => Sign::Less,
        operators::LESS_EQUALS => Sign::AtMost,
        operators::GREATER => Sign::Greater,
        operators::GREATER_EQUALS => Sign::AtLeast,
        operators::IN => Sign::In,
        _ => return None,
    })
}

fn function(name: &str, arguments: Vec<Node>) -> Result<Node, Refusal> {
    if name == "field" {
        return match arguments.as_slice() {
            [Node::Literal(Value::String(path))] => match path.parse() {
                Ok(path) => Ok(Node::Field(path)),
                Err(_) => refuse(name, "this is no path"),
            },
            _ => refuse(name, "`field` takes one path in quotes"),
        };
    }
    if name == "default" && arguments.len() > 1 {
        return Ok(Node::Otherwise(arguments));
    }
    match functions::find(name) {
        Some(function) if function.takes(arguments.len()) => Ok(Node::Call(function, arguments)),
        None if name != "default" => refuse(name, format!("there is no function `{name}`")),
        _ => refuse(name, format!("`{name}` does not take {} arguments", arguments.len())),
    }
}

/// As many nodes as a sign has sides.
fn several<const SIDES: usize>(nodes: Vec<Node>) -> Result<Box<[Node; SIDES]>, Refusal> {
    nodes.try_into().or_else(|_| refuse("", "something is missing"))
}

fn single(nodes: Vec<Node>) -> Result<Box<Node>, Refusal> {
    several(nodes).map(|node: Box<[Node; 1]>| {
        let [node] = *node;
        Box::new(node)
    })
}

/// The parser hands over `list.map(name, item)` and its kin as loops; what they mean is told by how they begin and go on.
fn each(found: ComprehensionExpr, depth: usize) -> Result<Node, Refusal> {
    let Some((goal, condition, item)) = meaning(&found.accu_init.expr, found.loop_step.expr) else {
        return refuse("", "lists know `map`, `filter`, `all`, `exists` and `exists_one`");
    };
    Ok(Node::Each(Box::new(Each {
        goal,
        list: node(found.iter_range, depth)?,
        name: found.iter_var,
        condition: condition.map(|condition| node(condition, depth)).transpose()?,
        item: item.map_or(Ok(Node::Literal(Value::Null)), |item| node(item, depth))?,
    })))
}

fn meaning(start: &Expr, step: Expr) -> Option<(Goal, Option<IdedExpr>, Option<IdedExpr>)> {
    let Expr::Call(CallExpr { func_name, args, .. }) = step else { return None };
    let mut args = args.into_iter();
    match (start, func_name.as_str()) {
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_OR) => {
            Some((Goal::Any, args.nth(1), None))
        }
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_AND) => {
            Some((Goal::All, args.nth(1), None))
        }
        (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL) => Some((Goal::One, args.next(), None)),
        (Expr::List(_), operators::ADD) => Some((Goal::List, None, Some(appended(args.nth(1)?)?))),
        (Expr::List(_), operators::CONDITIONAL) => {
            let condition = args.next();
            let Expr::Call(step) = args.next()?.expr else { return None };
            Some((Goal::List, condition, Some(appended(step.args.into_iter().nth(1)?)?)))
        }
        _ => None,
    }
}

/// The one element of a list that is put behind another list.
fn appended(list: IdedExpr) -> Option<IdedExpr> {
    match list.expr {
        Expr::List(list) => list.elements.into_iter().next(),
        _ => None,
    }
}
