//! Finds SQL in Rust sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprCall, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, Lit, Macro, Signature, TraitItemFn,
    parse::Parser,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// A call of `sqlx::query` or one of its relatives.
#[derive(Debug)]
pub struct Finding {
    /// From the folder of the crates.
    pub file: String,
    pub function: String,
    pub statement: Statement,
    pub receiver: Receiver,
    /// Whether it says `persistent(false)`.
    pub unnamed: bool,
}

impl Finding {
    pub fn place(&self) -> String {
        let start = match &self.statement {
            Statement::Literal(sql) => sql.split_whitespace().take(6).collect::<Vec<_>>().join(" "),
            Statement::Computed | Statement::Hidden(_) => "…".to_owned(),
        };
        format!("crates/{} in {} ({start})", self.file, self.function)
    }
}

#[derive(Debug)]
pub enum Statement {
    Literal(String),
    Computed,
    /// Something that can make statements which cannot be read off the source.
    Hidden(String),
}

/// What the enclosing function gives statements to, by the types of its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// `OrganizationTx` or `UserTx`.
    Application,
    /// `SystemTx`.
    System,
    /// One of the former and the latter.
    Both,
    /// A pool, or a struct that has one.
    Pool,
    /// A connection or an executor of any kind.
    Anything,
}

const CALLS: [&str; 7] = [
    "query",
    "query_as",
    "query_scalar",
    "query_with",
    "query_as_with",
    "query_scalar_with",
    "raw_sql",
];

/// Every statement under `crates/*/src`, tests inside of the sources apart.
pub fn read(crates: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in folders(crates) {
        for file in rust_files(&folder.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.strip_prefix(crates).unwrap().display().to_string();
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut reader = Reader {
                file: name,
                functions: Vec::new(),
                findings: Vec::new(),
            };
            reader.visit_file(&parsed);
            findings.append(&mut reader.findings);
        }
    }
    findings
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

struct Reader {
    file: String,
    /// The functions that enclose the current place, with what each can give statements to.
    functions: Vec<(String, Option<Receiver>)>,
    findings: Vec<Finding>,
}

impl Reader {
    fn found(&mut self, statement: Statement, unnamed: bool, executor: Option<String>) {
        let (function, of_signature) = self.functions.last().cloned().unwrap_or_default();
        // `self.pool`, `&pool`, `context.pool()`: a session of the engine's own, whatever the parameters are.
        let to_pool = executor.is_some_and(|executor| executor.contains("pool") || executor.contains("control"));
        let receiver = match of_signature {
            Some(receiver) if receiver != Receiver::Anything || !to_pool => receiver,
            _ if to_pool => Receiver::Pool,
            _ => Receiver::Anything,
        };
        self.findings.push(Finding {
            file: self.file.clone(),
            function,
            statement,
            receiver,
            unnamed,
        });
    }

    fn inside(&mut self, signature: &Signature, visit: impl FnOnce(&mut Self)) {
        self.functions.push((signature.ident.to_string(), receiver(signature)));
        visit(self);
        self.functions.pop();
    }

    /// The calls inside a macro's arguments, where those read as expressions; otherwise only that there are some.
    fn macro_arguments(&mut self, invocation: &Macro) {
        let parser = Punctuated::<Expr, syn::Token![,]>::parse_terminated;
        match parser.parse2(invocation.tokens.clone()) {
            Ok(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            Err(_) => {
                let text = invocation.tokens.to_string();
                if CALLS.iter().any(|call| text.contains(&format!("sqlx :: {call}"))) {
                    self.found(Statement::Hidden("a macro".to_owned()), false, None);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_test(&function.attrs) {
            self.inside(&function.sig, |reader| visit::visit_item_fn(reader, function));
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            self.inside(&function.sig, |reader| visit::visit_impl_item_fn(reader, function));
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.inside(&function.sig, |reader| visit::visit_trait_item_fn(reader, function));
    }

    fn visit_expr_method_call(&mut self, last: &'ast ExprMethodCall) {
        let mut unnamed = false;
        let mut executor = None;
        let mut place = last;
        loop {
            if place.method == "persistent" {
                unnamed = place.args.first().is_some_and(is_false);
            }
            if ["execute", "fetch", "fetch_one", "fetch_optional", "fetch_all"]
                .contains(&place.method.to_string().as_str())
            {
                executor = place.args.first().map(text_of);
            }
            // The arguments may hold statements of their own.
            place.args.iter().for_each(|argument| self.visit_expr(argument));
            match &*place.receiver {
                Expr::MethodCall(earlier) => place = earlier,
                Expr::Call(call) if is_query(call) => {
                    self.found(statement(call), unnamed, executor);
                    return;
                }
                other => {
                    self.visit_expr(other);
                    return;
                }
            }
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if is_query(call) {
            self.found(statement(call), false, None);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.macro_arguments(invocation);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.iter().any(|segment| segment.ident == "QueryBuilder") {
            self.found(Statement::Hidden("QueryBuilder".to_owned()), false, None);
        }
        visit::visit_path(self, path);
    }
}

/// `sqlx::query(…)`, `query_as::<_, Row>(…)`: any path that ends so, unless it says of another crate.
fn is_query(call: &ExprCall) -> bool {
    let Expr::Path(function) = &*call.func else {
        return false;
    };
    let segments: Vec<String> = function
        .path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    let Some((last, before)) = segments.split_last() else {
        return false;
    };
    CALLS.contains(&last.as_str()) && (before.is_empty() || before == ["sqlx"])
}

fn statement(call: &ExprCall) -> Statement {
    match call.args.first() {
        Some(Expr::Lit(literal)) => match &literal.lit {
            Lit::Str(text) => Statement::Literal(text.value()),
            _ => Statement::Computed,
        },
        _ => Statement::Computed,
    }
}

fn receiver(signature: &Signature) -> Option<Receiver> {
    let text = signature
        .inputs
        .iter()
        .map(text_of)
        .chain(std::iter::once(text_of(&signature.generics)))
        .chain(signature.generics.where_clause.iter().map(text_of))
        .collect::<String>();
    let application = text.contains("OrganizationTx") || text.contains("UserTx");
    let system = text.contains("SystemTx");
    match (application, system) {
        (true, true) => Some(Receiver::Both),
        (true, false) => Some(Receiver::Application),
        (false, true) => Some(Receiver::System),
        (false, false) if text.contains("PgConnection") || text.contains("Executor") => Some(Receiver::Anything),
        (false, false) if text.contains("PgPool") => Some(Receiver::Pool),
        (false, false) => None,
    }
}

fn is_false(argument: &Expr) -> bool {
    matches!(argument, Expr::Lit(literal) if matches!(&literal.lit, Lit::Bool(value) if !value.value))
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("test") || text_of(attribute).contains("cfg (test)"))
}

/// A piece of syntax as text, with a blank between any two tokens.
fn text_of(piece: &impl ToTokens) -> String {
    piece.to_token_stream().to_string()
}
