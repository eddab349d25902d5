//! Every endpoint, once: the router, the OpenAPI document and the tests of refusals are made from this list.

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anybody: signing in, liveness.
    Open,
    /// Anybody who is signed in, about own things only.
    SignedIn,
    /// `decide` is asked with this verb.
    Verb(&'static str),
}

/// One endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// Method.
    pub method: Method,
    /// Path below `/api/v1`, with `{name}` for parts.
    pub path: &'static str,
    /// Guard.
    pub guard: Guard,
    /// Name of the request's schema.
    pub request: Option<&'static str>,
    /// Name of the answer's schema.
    pub response: Option<&'static str>,
    /// One sentence.
    pub summary: &'static str,
}

const fn row(
    method: Method,
    path: &'static str,
    guard: Guard,
    request: Option<&'static str>,
    response: Option<&'static str>,
    summary: &'static str,
) -> Endpoint {
    Endpoint { method, path, guard, request, response, summary }
}

use Guard::{Open, SignedIn, Verb};
use Method::{Delete, Get, Patch, Post, Put};

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    row(Post, "/session", Open, Some("SignIn"), Some("Session"), "Sign in."),
    row(Post, "/session/link", Open, Some("SignInByLink"), Some("Session"), "Sign in with a one-time link."),
    row(Get, "/session", SignedIn, None, Some("Session"), "Who is signed in."),
    row(Delete, "/session", SignedIn, None, None, "Sign out."),
    row(Put, "/preferences", SignedIn, None, None, "Keep own preferences."),
    row(Get, "/drafts/{key}", SignedIn, None, Some("Draft"), "Read an own draft."),
    row(Put, "/drafts/{key}", SignedIn, Some("Draft"), None, "Keep an own draft."),
    row(Delete, "/drafts/{key}", SignedIn, None, None, "Drop an own draft."),
    row(
        Put,
        "/presence",
        SignedIn,
        Some("Presence"),
        Some("PresenceOthers"),
        "Say what one looks at; learn who else does.",
    ),
    row(Post, "/password", SignedIn, Some("PasswordChange"), None, "Change the own password."),
    row(Post, "/second-factor/begin", SignedIn, None, Some("SecondFactorSetup"), "Begin to set up a second factor."),
    row(Post, "/second-factor/confirm", SignedIn, Some("SecondFactorCode"), None, "Confirm the second factor."),
    row(Get, "/saved-searches", SignedIn, None, None, "Own kept searches."),
    row(Post, "/saved-searches", SignedIn, Some("SavedSearch"), Some("SavedSearch"), "Keep a search."),
    row(Delete, "/saved-searches/{id}", SignedIn, None, None, "Drop a kept search."),
    row(Get, "/home", Verb("read_cases"), None, Some("Home"), "What needs me, and is everything well."),
    row(Get, "/cases", Verb("read_cases"), None, Some("CasePage"), "Cases of a view."),
    row(Post, "/cases", Verb("open_case"), Some("NewCase"), Some("CaseDetail"), "Open a case."),
    row(Post, "/cases/bulk", Verb("work_case"), Some("BulkAct"), Some("BulkResult"), "Act on several cases."),
    row(Get, "/cases/{id}", Verb("read_cases"), None, Some("CaseDetail"), "One case."),
    row(Post, "/cases/{id}/acts", Verb("work_case"), Some("CaseAct"), Some("CaseDetail"), "Act on a case."),
    row(
        Post,
        "/cases/{id}/undo",
        Verb("work_case"),
        Some("Undo"),
        Some("CaseDetail"),
        "Take an act back, within 60 seconds.",
    ),
    row(Get, "/cases/{id}/events", Verb("read_events"), None, Some("EventPage"), "Events behind a case."),
    row(Get, "/detections", Verb("read_cases"), None, Some("DetectionPage"), "Detections, signals too."),
    row(Get, "/detections/{id}", Verb("read_events"), None, Some("DetectionDetail"), "One detection with its event."),
    row(Get, "/runs", Verb("read_cases"), None, Some("RunPage"), "Imports and runs over history."),
    row(Get, "/runs/{id}", Verb("read_cases"), None, Some("Run"), "One run with its groups."),
    row(Post, "/runs/{id}/promote", Verb("open_case"), Some("Promote"), Some("CaseDetail"), "Make a case of a group."),
    row(
        Post,
        "/search",
        Verb("read_events"),
        Some("SearchRequest"),
        Some("SearchPart"),
        "Search; the answer is a line a part.",
    ),
    row(Post, "/search/check", Verb("read_events"), Some("QueryCheck"), Some("QueryChecked"), "Check a query."),
    row(Get, "/search/complete", Verb("read_events"), None, Some("Completions"), "Complete a query."),
    row(Get, "/events/{id}", Verb("read_events"), None, Some("EventDetail"), "One event."),
    row(Get, "/events/{id}/around", Verb("read_events"), None, Some("EventPage"), "Events around one."),
    row(Get, "/fields", Verb("read_events"), None, Some("FieldList"), "The field catalogue."),
    row(Post, "/sql", Verb("read_events"), Some("SqlRequest"), None, "One SELECT; the answer is a line a row."),
    row(Get, "/stream", Verb("read_cases"), None, None, "Live changes as server-sent events."),
    row(Get, "/sources", Verb("read_sources"), None, Some("SourcePage"), "Sources."),
    row(Get, "/sources/{id}", Verb("read_sources"), None, Some("SourceDetail"), "One source."),
    row(
        Patch,
        "/sources/{id}",
        Verb("change_source"),
        Some("SourceChange"),
        Some("SourceDetail"),
        "Change a source's owner or note.",
    ),
    row(Get, "/receivers", Verb("read_sources"), None, Some("ReceiverPage"), "Receivers and what senders need."),
    row(Get, "/ingest-tokens", Verb("change_source"), None, Some("TokenPage"), "Ingest tokens."),
    row(Post, "/ingest-tokens", Verb("change_source"), Some("NewToken"), Some("Token"), "Make an ingest token."),
    row(Delete, "/ingest-tokens/{id}", Verb("change_source"), None, None, "End an ingest token."),
    row(Get, "/rules", Verb("read_rules"), None, Some("RulePage"), "Rules."),
    row(Get, "/rules/{id}", Verb("read_rules"), None, Some("RuleDetail"), "One rule."),
    row(Patch, "/rules/{id}", Verb("change_rule"), Some("RuleChange"), Some("RuleDetail"), "Switch a rule on or off."),
    row(Get, "/log", Verb("read_log"), None, Some("LogPage"), "The log of acts."),
    row(Get, "/users", Verb("manage_users"), None, Some("UserPage"), "Users."),
    row(Post, "/users", Verb("manage_users"), Some("NewUser"), Some("User"), "Make a user."),
    row(Patch, "/users/{id}", Verb("manage_users"), Some("UserChange"), Some("User"), "Change a user."),
    row(Get, "/api-tokens", Verb("manage_users"), None, Some("TokenPage"), "API tokens."),
    row(Post, "/api-tokens", Verb("manage_users"), Some("NewToken"), Some("Token"), "Make an API token."),
    row(Delete, "/api-tokens/{id}", Verb("manage_users"), None, None, "End an API token."),
    row(Get, "/settings", Verb("read_platform"), None, Some("Settings"), "The configuration in effect."),
    row(Get, "/health", Verb("read_platform"), None, Some("Health"), "How the program itself is."),
    row(Get, "/openapi.json", SignedIn, None, None, "This API's description."),
];
