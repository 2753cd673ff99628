//! The operations of the assembled document, for what actix cannot tell: which methods a path has, which
//! parameters an operation takes, which representations it offers.

use actix_web::http::Method;

use crate::limits::Policy;

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// The names of its query parameters.
    pub parameters: Vec<String>,
    /// The media types of its successful answers.
    pub media_types: Vec<String>,
    /// How often a network may ask for it.
    pub limit: Option<Policy>,
}

#[derive(Clone, Debug)]
struct Route {
    template: String,
    operations: Vec<Operation>,
}

/// All operations by path.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Route>);

/// A path that exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched<'a>(&'a Route);

impl Routes {
    /// Adds an operation of a path template such as `/v1/sessions/{id}`.
    pub fn add(&mut self, template: &str, operation: Operation) {
        match self.0.iter_mut().find(|route| route.template == template) {
            Some(route) => route.operations.push(operation),
            None => self.0.push(Route { template: template.to_owned(), operations: vec![operation] }),
        }
        // Plain paths stand before templates, as OpenAPI matches them.
        self.0.sort_by_key(|route| route.template.matches('{').count());
    }

    pub(super) fn find(&self, path: &str) -> Option<Matched<'_>> {
        self.0.iter().find(|route| fits(&route.template, path)).map(Matched)
    }
}

impl<'a> Matched<'a> {
    pub(super) fn template(self) -> &'a str {
        &self.0.template
    }

    pub(super) fn operation(self, method: &Method) -> Option<&'a Operation> {
        self.0.operations.iter().find(|operation| operation.method == *method)
    }

    /// The `Allow` header (RFC 9110 §10.2.1); whatever can be got can be asked for by HEAD.
    pub(super) fn allow(self) -> String {
        let methods = self.0.operations.iter().map(|operation| match operation.method {
            Method::GET => "GET, HEAD",
            ref other => other.as_str(),
        });
        methods.collect::<Vec<_>>().join(", ")
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut parts, mut segments) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), segments.next()) {
            (None, None) => return true,
            (Some(part), Some(segment)) if part == segment => {}
            (Some(part), Some(segment)) if part.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_template_wins_and_slashes_count() {
        let mut routes = Routes::default();
        for (method, template) in [
            (Method::DELETE, "/v1/sessions/{id}"),
            (Method::POST, "/v1/sessions/refresh"),
            (Method::GET, "/v1/sessions"),
            (Method::PATCH, "/v1/sessions/{id}"),
        ] {
            routes.add(template, Operation { method, parameters: Vec::new(), media_types: Vec::new(), limit: None });
        }
        let template = |path| routes.find(path).map(Matched::template);
        assert_eq!(template("/v1/sessions/refresh"), Some("/v1/sessions/refresh"));
        assert_eq!(template("/v1/sessions/x"), Some("/v1/sessions/{id}"));
        assert_eq!(routes.find("/v1/sessions/x").unwrap().allow(), "DELETE, PATCH");
        assert_eq!(routes.find("/v1/sessions").unwrap().allow(), "GET, HEAD");
        for path in ["/v1/sessions/", "//v1/sessions", "/v1//sessions", "/", "", "/v1/sessions/a/b"] {
            assert_eq!(template(path), None, "{path}");
        }
    }
}
