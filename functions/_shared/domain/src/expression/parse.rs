//! From tokens to a tree.

use super::BadExpression;
use super::functions::{self, Function};
use super::tokens::{Kind, Token, bad, tokens};
use crate::path::Path;
use crate::record::Value;

/// The deepest tree.
const MAX_DEPTH: usize = 40;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Literal(Value),
    /// What the rule reads.
    This,
    /// A path below what the rule reads.
    Below(Path),
    /// A path into the record.
    Field(Path),
    List(Vec<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Both(Box<Node>, Box<Node>),
    Either(Box<Node>, Box<Node>),
    Otherwise(Box<Node>, Box<Node>),
    Choose(Box<[Node; 3]>),
    Sign(&'static str, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

/// Binary signs, the weakest first; those of one line bind equally.
const LEVELS: &[&[&str]] =
    &[&["??"], &["||"], &["&&"], &["==", "!=", "<", "<=", ">", ">="], &["&"], &["+", "-"], &["*", "/", "%"]];

pub(super) fn parse(text: &str) -> Result<Node, BadExpression> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.chars().count().saturating_add(1) };
    let node = parser.whole(0)?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(bad(token.at, "the expression should end here")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    fn step(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    /// Takes this sign if it comes next. Words stand for signs too.
    fn takes(&mut self, sign: &str) -> bool {
        let found = match self.peek().map(|token| &token.kind) {
            Some(Kind::Sign(given)) => *given == sign,
            Some(Kind::Name(name)) => {
                matches!((name.as_str(), sign), ("and", "&&") | ("or", "||") | ("not", "!"))
            }
            _ => false,
        };
        if found {
            self.step();
        }
        found
    }

    fn needs(&mut self, sign: &str) -> Result<(), BadExpression> {
        let at = self.at();
        if self.takes(sign) { Ok(()) } else { Err(bad(at, &format!("`{sign}` is missing"))) }
    }

    fn whole(&mut self, depth: usize) -> Result<Node, BadExpression> {
        let depth = self.deeper(depth)?;
        let condition = self.level(0, depth)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let this = self.whole(depth)?;
        self.needs(":")?;
        let that = self.whole(depth)?;
        Ok(Node::Choose(Box::new([condition, this, that])))
    }

    fn deeper(&self, depth: usize) -> Result<usize, BadExpression> {
        if depth >= MAX_DEPTH { Err(bad(self.at(), "too deep")) } else { Ok(depth.saturating_add(1)) }
    }

    fn level(&mut self, level: usize, depth: usize) -> Result<Node, BadExpression> {
        let Some(signs) = LEVELS.get(level) else { return self.single(depth) };
        let mut depth = depth;
        let mut left = self.level(level.saturating_add(1), depth)?;
        while let Some(sign) = signs.iter().copied().find(|sign| self.takes(sign)) {
            // A long chain makes a deep tree as well.
            depth = self.deeper(depth)?;
            let right = self.level(level.saturating_add(1), depth)?;
            let (a, b) = (Box::new(left), Box::new(right));
            left = match sign {
                "&&" => Node::Both(a, b),
                "||" => Node::Either(a, b),
                "??" => Node::Otherwise(a, b),
                sign => Node::Sign(sign, a, b),
            };
        }
        Ok(left)
    }

    fn single(&mut self, depth: usize) -> Result<Node, BadExpression> {
        let depth = self.deeper(depth)?;
        if self.takes("!") {
            return Ok(Node::Not(Box::new(self.single(depth)?)));
        }
        if self.takes("-") {
            return Ok(Node::Minus(Box::new(self.single(depth)?)));
        }
        if self.takes("(") {
            let inside = self.whole(depth)?;
            self.needs(")")?;
            return Ok(inside);
        }
        if self.takes("[") {
            return Ok(Node::List(self.until("]", depth)?));
        }
        let at = self.at();
        let token = self.peek().ok_or_else(|| bad(at, "something is missing"))?;
        match &token.kind {
            Kind::Literal(value) => {
                self.step();
                Ok(Node::Literal(value.clone()))
            }
            Kind::Name(name) => {
                self.step();
                self.name(name, at, depth)
            }
            Kind::Sign(sign) => Err(bad(at, &format!("`{sign}` has nothing to its left"))),
        }
    }

    fn name(&mut self, name: &str, at: usize, depth: usize) -> Result<Node, BadExpression> {
        if self.takes("(") {
            let arguments = self.until(")", depth)?;
            return call(name, arguments, at);
        }
        Ok(match name {
            "true" => Node::Literal(Value::Bool(true)),
            "false" => Node::Literal(Value::Bool(false)),
            "null" => Node::Literal(Value::Null),
            "value" => Node::This,
            path => {
                let path: Path = path.parse().map_err(|_| bad(at, "this is no path"))?;
                if path.field() == "value" { Node::Below(path) } else { Node::Field(path) }
            }
        })
    }

    fn until(&mut self, end: &str, depth: usize) -> Result<Vec<Node>, BadExpression> {
        let mut nodes = Vec::new();
        if self.takes(end) {
            return Ok(nodes);
        }
        loop {
            nodes.push(self.whole(depth)?);
            if self.takes(end) {
                return Ok(nodes);
            }
            self.needs(",")?;
        }
    }
}

/// A call of a function that exists, with as many arguments as it takes.
fn call(name: &str, mut arguments: Vec<Node>, at: usize) -> Result<Node, BadExpression> {
    if name == "field" {
        return match arguments.as_slice() {
            [Node::Literal(Value::String(path))] => {
                path.parse().map(Node::Field).map_err(|_| bad(at, "this is no path"))
            }
            _ => Err(bad(at, "`field` takes one path in quotes")),
        };
    }
    if name == "if" {
        if arguments.len() != 3 {
            return Err(bad(at, "`if` takes a condition and two values"));
        }
        let mut three = arguments.drain(..);
        let (Some(a), Some(b), Some(c)) = (three.next(), three.next(), three.next()) else {
            return Err(bad(at, "`if` takes a condition and two values"));
        };
        return Ok(Node::Choose(Box::new([a, b, c])));
    }
    let function = functions::find(name).ok_or_else(|| bad(at, &format!("there is no function `{name}`")))?;
    if !function.takes(arguments.len()) {
        return Err(bad(at, &format!("`{name}` does not take {} arguments", arguments.len())));
    }
    Ok(Node::Call(function, arguments))
}
