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
    /// `decide` is asked with this verb; acting on a case asks again with the act's own verb.
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
    row(Get, "/home", Verb("case_read"), None, Some("Home"), "What needs me, and is everything well."),
    row(Get, "/cases", Verb("case_read"), None, Some("CasePage"), "Cases of a view."),
    row(Post, "/cases", Verb("case_open"), Some("NewCase"), Some("CaseDetail"), "Open a case."),
    row(Post, "/cases/bulk", Verb("case_read"), Some("BulkAct"), Some("BulkResult"), "Act on several cases."),
    row(Get, "/cases/{id}", Verb("case_read"), None, Some("CaseDetail"), "One case."),
    row(Post, "/cases/{id}/acts", Verb("case_read"), Some("CaseAct"), Some("CaseDetail"), "Act on a case."),
    row(
        Post,
        "/cases/{id}/undo",
        Verb("case_read"),
        Some("Undo"),
        Some("CaseDetail"),
        "Take an act back, within 60 seconds.",
    ),
    row(Get, "/cases/{id}/events", Verb("event_read"), None, Some("EventPage"), "Events behind a case."),
    row(Get, "/detections", Verb("detection_read"), None, Some("DetectionPage"), "Detections, signals too."),
    row(
        Get,
        "/detections/{id}",
        Verb("detection_read"),
        None,
        Some("DetectionDetail"),
        "One detection with its event.",
    ),
    row(Get, "/runs", Verb("run_read"), None, Some("RunPage"), "Imports and runs over history."),
    row(Get, "/runs/{id}", Verb("run_read"), None, Some("Run"), "One run with its groups."),
    row(
        Post,
        "/runs/{id}/promote",
        Verb("run_promote"),
        Some("Promote"),
        Some("CaseDetail"),
        "Make a case of a group.",
    ),
    row(
        Post,
        "/search",
        Verb("event_read"),
        Some("SearchRequest"),
        Some("SearchPart"),
        "Search; the answer is a line a part.",
    ),
    row(Post, "/search/check", Verb("event_read"), Some("QueryCheck"), Some("QueryChecked"), "Check a query."),
    row(Get, "/search/complete", Verb("event_read"), None, Some("Completions"), "Complete a query."),
    row(Get, "/events/{id}", Verb("event_read"), None, Some("EventDetail"), "One event."),
    row(Get, "/events/{id}/around", Verb("event_read"), None, Some("EventPage"), "Events around one."),
    row(Get, "/fields", Verb("event_read"), None, Some("FieldList"), "The field catalogue."),
    row(Post, "/sql", Verb("event_sql"), Some("SqlRequest"), None, "One SELECT; the answer is a line a row."),
    row(Get, "/stream", Verb("case_read"), None, None, "Live changes as server-sent events."),
    row(Get, "/sources", Verb("source_read"), None, Some("SourcePage"), "Sources."),
    row(Get, "/sources/{id}", Verb("source_read"), None, Some("SourceDetail"), "One source."),
    row(
        Patch,
        "/sources/{id}",
        Verb("source_edit"),
        Some("SourceChange"),
        Some("SourceDetail"),
        "Change a source's name, owner or note.",
    ),
    row(Get, "/receivers", Verb("source_read"), None, Some("ReceiverPage"), "Receivers and what senders need."),
    row(Get, "/ingest-tokens", Verb("ingest_token"), None, Some("TokenPage"), "Ingest tokens."),
    row(Post, "/ingest-tokens", Verb("ingest_token"), Some("NewToken"), Some("Token"), "Make an ingest token."),
    row(Delete, "/ingest-tokens/{id}", Verb("ingest_token"), None, None, "End an ingest token."),
    row(Get, "/rules", Verb("rule_read"), None, Some("RulePage"), "Rules."),
    row(Get, "/rules/{id}", Verb("rule_read"), None, Some("RuleDetail"), "One rule."),
    row(Patch, "/rules/{id}", Verb("rule_switch"), Some("RuleChange"), Some("RuleDetail"), "Switch a rule on or off."),
    row(Get, "/log", Verb("log_read"), None, Some("LogPage"), "The log of acts."),
    row(Get, "/users", Verb("user_read"), None, Some("UserPage"), "Users."),
    row(Post, "/users", Verb("user_manage"), Some("NewUser"), Some("User"), "Make a user."),
    row(Patch, "/users/{id}", Verb("user_manage"), Some("UserChange"), Some("User"), "Change a user."),
    row(Get, "/api-tokens", Verb("own"), None, Some("TokenPage"), "API tokens."),
    row(Post, "/api-tokens", Verb("own"), Some("NewToken"), Some("Token"), "Make an API token."),
    row(Delete, "/api-tokens/{id}", Verb("own"), None, None, "End an API token."),
    row(Get, "/settings", Verb("settings_read"), None, Some("Settings"), "The configuration in effect."),
    row(Get, "/health", Verb("health_read"), None, Some("Health"), "How the program itself is."),
    row(Get, "/openapi.json", SignedIn, None, None, "This API's description."),
];
