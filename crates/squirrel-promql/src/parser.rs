//! Tokens to a tree, by operator precedence (Pratt).

mod modifiers;
mod selector;

use crate::ast::{Aggregate, AggregateOp, Binary, BinaryOp, Call, Expr, ExprKind, Grouping};
use crate::lexer::{Keyword, Token, TokenKind, tokens, unexpected};
use crate::{ParseError, Span, check, functions};

pub use selector::parse_selector;

/// Limits of what is parsed.
#[derive(Clone, Debug)]
pub struct ParseOptions {
    /// Longest text in bytes.
    pub max_bytes: usize,
    /// How deep parentheses, calls and signs may stand within each other.
    pub max_depth: usize,
    /// Most bytes that the regular expression of a matcher may compile to.
    pub max_regex_bytes: usize,
    /// Whether functions are known that Prometheus calls experimental.
    pub experimental: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        let max_regex_bytes = squirrel_model::REGEX_BYTES;
        Self { max_bytes: 16 * 1024, max_depth: 64, max_regex_bytes, experimental: false }
    }
}

/// A chain such as `a + b + c` is a tree as high as it has operators. Everything that walks a tree
/// recurses, so its height is held too.
const MAX_HEIGHT: usize = 512;

/// Parses and checks an expression.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str, options: &ParseOptions) -> Result<Expr, ParseError> {
    if text.len() > options.max_bytes {
        let message = format!("the expression has {} bytes, more than {} are refused", text.len(), options.max_bytes);
        return Err(ParseError::new(Span::default(), message));
    }
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, options };
    if parser.peek().kind == TokenKind::End {
        return Err(ParseError::new(parser.peek().span, "no expression found in input"));
    }
    let tree = parser.expression(0)?;
    parser.end()?;
    check::check(&tree.expr)?;
    Ok(tree.expr)
}

/// What stands where no token is.
static NO_TOKEN: Token<'static> =
    Token { kind: TokenKind::End, span: Span { start: 0, end: 0, line: 1, column: 1 }, text: "" };

/// A finished part of the tree and how high it is.
struct Tree {
    expr: Expr,
    height: usize,
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
    options: &'a ParseOptions,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a Token<'a> {
        self.peek_after(0)
    }

    fn peek_after(&self, steps: usize) -> &'a Token<'a> {
        // The list always ends with `End` or `Broken`, which is never stepped over.
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get((self.at + steps).min(last)).unwrap_or(&NO_TOKEN)
    }

    fn take(&mut self) -> &'a Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Steps over a sign if it stands here.
    fn take_if(&mut self, sign: &str) -> bool {
        let here = self.peek().is(sign);
        self.at += usize::from(here);
        here
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        let here = self.peek().is_keyword(keyword);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, sign: &str, place: &str) -> Result<Span, ParseError> {
        if self.peek().is(sign) {
            return Ok(self.take().span);
        }
        Err(unexpected(self.peek(), place, &format!("{sign:?}")))
    }

    fn end(&self) -> Result<(), ParseError> {
        if self.peek().kind == TokenKind::End { Ok(()) } else { Err(unexpected(self.peek(), "", "")) }
    }

    /// An expression whose operators all bind at least as strongly as `weakest`.
    fn expression(&mut self, weakest: u8) -> Result<Tree, ParseError> {
        self.depth += 1;
        if self.depth > self.options.max_depth {
            let message = format!("the expression is nested deeper than {} levels", self.options.max_depth);
            return Err(ParseError::new(self.peek().span, message));
        }
        let mut left = self.operand()?;
        while let Some(op) = self.operator().filter(|op| op.strength() >= weakest) {
            let place = self.take().span;
            let (returns_bool, matching) = self.binary_modifiers()?;
            // The power operator binds to the right, all others to the left.
            let right = self.expression(op.strength() + u8::from(op != BinaryOp::Power))?;
            let height = left.height.max(right.height) + 1;
            if height > MAX_HEIGHT {
                let message = format!("more than {MAX_HEIGHT} operators follow each other: split the query");
                return Err(ParseError::new(place, message));
            }
            let span = left.expr.span.to(right.expr.span);
            let binary = Binary { op, left: left.expr, right: right.expr, returns_bool, matching };
            left = Tree { expr: Expr { kind: ExprKind::Binary(Box::new(binary)), span }, height };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<BinaryOp> {
        let token = self.peek();
        let text = match &token.kind {
            TokenKind::Sign(sign) => sign,
            TokenKind::Keyword(Keyword::And) => "and",
            TokenKind::Keyword(Keyword::Or) => "or",
            TokenKind::Keyword(Keyword::Unless) => "unless",
            TokenKind::Keyword(Keyword::Atan2) => "atan2",
            _ => return None,
        };
        BinaryOp::ALL.into_iter().find(|op| op.sign() == text)
    }

    /// What stands between operators, with ranges, `offset` and `@` after it.
    fn operand(&mut self) -> Result<Tree, ParseError> {
        let token = self.peek();
        if token.is("-") || token.is("+") {
            return self.unary();
        }
        let tree = match &token.kind {
            TokenKind::Number { value, duration } => {
                self.take();
                leaf(ExprKind::Number { value: *value, duration: *duration }, token.span)
            }
            TokenKind::String(text) => {
                self.take();
                leaf(ExprKind::String(text.clone()), token.span)
            }
            TokenKind::Sign("(") => {
                self.take();
                let inner = self.expression(0)?;
                let last = self.expect(")", "parentheses")?;
                let kind = ExprKind::Paren(Box::new(inner.expr));
                Tree { expr: Expr { kind, span: token.span.to(last) }, height: inner.height + 1 }
            }
            TokenKind::Sign("{") => self.selector()?,
            TokenKind::Word | TokenKind::Keyword(_) => self.name()?,
            _ => return Err(unexpected(token, "", "an expression")),
        };
        self.suffixes(tree)
    }

    /// `-x`: weaker than `^`, as strong as `*`.
    fn unary(&mut self) -> Result<Tree, ParseError> {
        let sign = self.take();
        let minus = sign.is("-");
        let inner = self.expression(BinaryOp::Multiply.strength() + 1)?;
        let span = sign.span.to(inner.expr.span);
        let (kind, height) = match inner.expr.kind {
            ExprKind::Number { value, duration } => {
                (ExprKind::Number { value: if minus { -value } else { value }, duration }, 1)
            }
            _ => (ExprKind::Unary { minus, operand: Box::new(inner.expr) }, inner.height + 1),
        };
        Ok(Tree { expr: Expr { kind, span }, height })
    }

    /// A word: an aggregation, a call, or a metric's name.
    fn name(&mut self) -> Result<Tree, ParseError> {
        let token = self.peek();
        let next = self.peek_after(1);
        if let Some(op) = AggregateOp::ALL.into_iter().find(|op| op.word().eq_ignore_ascii_case(token.text)) {
            if next.is("(") || next.is_keyword(Keyword::By) || next.is_keyword(Keyword::Without) {
                return self.aggregate(op);
            }
        } else if next.is("(") && !token.text.contains(':') {
            return self.call();
        }
        self.selector()
    }

    fn aggregate(&mut self, op: AggregateOp) -> Result<Tree, ParseError> {
        let first = self.take().span;
        if op.is_experimental() && !self.options.experimental {
            return Err(ParseError::new(first, format!("{} is experimental and not enabled here", op.word())));
        }
        let before = self.grouping()?;
        let (args, mut last, height) = self.arguments()?;
        let after = if before.is_none() { self.grouping()? } else { None };
        if after.is_some() {
            last = self.previous_span();
        }
        let grouping = before.or(after).unwrap_or(Grouping::By(Vec::new()));
        let span = first.to(last);
        let wanted = 1 + usize::from(op.param().is_some());
        let given = args.len();
        let mut args = args.into_iter();
        let param = if wanted == 2 { args.next() } else { None };
        let (Some(expr), true) = (args.next(), given == wanted) else {
            let plural = if wanted == 1 { "" } else { "s" };
            let message = format!("{} takes {wanted} argument{plural}, got {given}", op.word());
            return Err(ParseError::new(span, message));
        };
        let kind = ExprKind::Aggregate(Box::new(Aggregate { op, param, expr, grouping }));
        Ok(Tree { expr: Expr { kind, span }, height: height + 1 })
    }

    fn previous_span(&self) -> Span {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map(|t| t.span).unwrap_or_default()
    }

    fn call(&mut self) -> Result<Tree, ParseError> {
        let name = self.take();
        let Some(function) = functions::find(name.text) else {
            return Err(ParseError::new(name.span, format!("unknown function with name {:?}", name.text)));
        };
        if function.experimental && !self.options.experimental {
            let message = format!("function {:?} is experimental and not enabled here", name.text);
            return Err(ParseError::new(name.span, message));
        }
        let (args, last, height) = self.arguments()?;
        let kind = ExprKind::Call(Box::new(Call { function, args }));
        Ok(Tree { expr: Expr { kind, span: name.span.to(last) }, height: height + 1 })
    }

    /// `(a, b)`: the arguments, the closing parenthesis' place, the height of the highest.
    fn arguments(&mut self) -> Result<(Vec<Expr>, Span, usize), ParseError> {
        self.expect("(", "call")?;
        let (mut args, mut height) = (Vec::new(), 0);
        if !self.peek().is(")") {
            loop {
                let tree = self.expression(0)?;
                height = height.max(tree.height);
                args.push(tree.expr);
                if !self.take_if(",") {
                    break;
                }
                if self.peek().is(")") {
                    return Err(ParseError::new(self.peek().span, "an argument is missing after the comma"));
                }
            }
        }
        let last = self.expect(")", "call")?;
        Ok((args, last, height))
    }
}

fn leaf(kind: ExprKind, span: Span) -> Tree {
    Tree { expr: Expr { kind, span }, height: 1 }
}
