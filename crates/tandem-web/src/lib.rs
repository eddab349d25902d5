//! HTTP for people: TLS, sign-in, sessions, the decide extractor, console assets, CSP.
