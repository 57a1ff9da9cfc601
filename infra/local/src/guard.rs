//! Keeps pages of other sites away from the ports: whoever develops also reads the web, with the same browser.
//!
//! The ports take no password, so what a browser says of itself is held against them: the name that it asked for (`Host`; a
//! foreign name may point here by its owner's choice) and the page that asks (`Origin`, `Sec-Fetch-Site`). Programs send
//! neither of the latter, and pass.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header, uri::Authority};
use std::sync::Arc;

/// Names of this machine, as a browser writes them.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Pages that may ask a port to change something.
#[derive(Debug, Clone)]
pub enum Pages {
    /// Pages of the port itself and of these origins.
    Of(Arc<[String]>),
    /// No page at all: only programs have business here, and some reads change something.
    Nobody,
}

impl Pages {
    /// Only the port's own.
    pub fn own() -> Self {
        Self::Of(Arc::new([]))
    }

    /// Those of other addresses as well. One on this machine counts under each of the machine's names.
    pub fn also(addresses: impl IntoIterator<Item = String>) -> Self {
        let spelled = addresses.into_iter().flat_map(|address| {
            let of_here = address.parse::<http::Uri>().ok().and_then(|uri| {
                let (scheme, authority) = (uri.scheme_str()?.to_owned(), uri.authority()?.clone());
                let port = authority.port_u16()?;
                HERE.contains(&authority.host()).then(|| HERE.map(|name| format!("{scheme}://{name}:{port}")).to_vec())
            });
            of_here.unwrap_or_else(|| vec![address])
        });
        Self::Of(spelled.collect())
    }
}

/// Puts the guard before all of a port's routes.
pub fn guarded(router: Router, pages: Pages) -> Router {
    router.layer(middleware::from_fn_with_state(pages, pass))
}

async fn pass(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    match check(&pages, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((status, why)) => (status, why).into_response(),
    }
}

fn check(pages: &Pages, method: &Method, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let host = host(headers).ok_or((StatusCode::MISDIRECTED_REQUEST, "this port answers to localhost, 127.0.0.1 and [::1] only\n"))?;
    let foreign = (
        StatusCode::FORBIDDEN,
        "a page of another origin may not change anything here; `cargo run -- --shop http://localhost:5173` names the address of the front end\n",
    );
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let site = headers.get("sec-fetch-site");
    match pages {
        Pages::Nobody if origins.next().is_some() || site.is_some() => Err((StatusCode::FORBIDDEN, "this port is for programs, not for pages\n")),
        Pages::Nobody => Ok(()),
        Pages::Of(_) if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) => Ok(()),
        Pages::Of(others) => match (origins.next(), origins.next()) {
            (Some(origin), None) => {
                let own = origin.to_str().is_ok_and(|o| o == format!("http://{host}") || others.iter().any(|other| other == o));
                if own { Ok(()) } else { Err(foreign) }
            }
            // A browser that leaves the origin out still says that the page is another site's.
            (None, _) if site.is_none_or(|s| ["same-origin", "none"].iter().any(|own| s == own)) => Ok(()),
            _ => Err(foreign),
        },
    }
}

/// The one name that was asked for, if it is this machine's. Any port: a front end's proxy passes its own on.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host: Authority = hosts.next()?.to_str().ok()?.parse().ok()?;
    let alone = hosts.next().is_none() && !host.as_str().contains('@');
    (alone && HERE.iter().any(|name| host.host().eq_ignore_ascii_case(name))).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pages: &Pages, method: &Method, headers: &[(&str, &str)]) -> u16 {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check(pages, method, &all).err().map_or(200, |(status, _)| status.as_u16())
    }

    #[test]
    fn foreign_names_are_served_nowhere() {
        for pages in [Pages::own(), Pages::Nobody] {
            for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST:3000", "localhost:5173", "localhost"] {
                assert_eq!(asked(&pages, &Method::GET, &[("host", host)]), 200, "{host}");
            }
            for host in
                ["evil.example", "evil.example:3000", "localhost.evil.example:3000", "x@localhost:3000", "127.0.0.1.nip.io", "10.0.0.1:3000", ""]
            {
                assert_eq!(asked(&pages, &Method::GET, &[("host", host)]), 421, "{host}");
            }
            assert_eq!(asked(&pages, &Method::GET, &[]), 421);
            assert_eq!(asked(&pages, &Method::GET, &[("host", "localhost:3000"), ("host", "evil.example")]), 421);
        }
    }

    #[test]
    fn pages_of_others_change_nothing() {
        let pages = Pages::also(["http://localhost:5173".to_owned(), "https://shop.example".to_owned()]);
        let host = ("host", "localhost:3000");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let ask = |headers: &[(&str, &str)]| asked(&pages, &method, &[&[host], headers].concat());
            assert_eq!(ask(&[]), 200, "programs send neither");
            for own in ["http://localhost:3000", "http://localhost:5173", "http://127.0.0.1:5173", "https://shop.example"] {
                assert_eq!(ask(&[("origin", own), ("sec-fetch-site", "same-site")]), 200, "{own}");
            }
            for other in ["http://evil.localhost:3000", "http://localhost:4977", "https://localhost:3000", "null", "http://shop.example", ""] {
                assert_eq!(ask(&[("origin", other)]), 403, "{other}");
            }
            assert_eq!(ask(&[("origin", "http://localhost:3000"), ("origin", "http://evil.example")]), 403);
            for (site, status) in [("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403), ("?", 403)] {
                assert_eq!(ask(&[("sec-fetch-site", site)]), status, "{site}");
            }
        }
        assert_eq!(asked(&pages, &Method::GET, &[host, ("origin", "http://evil.example")]), 200, "it may look where it is let by CORS");
    }

    #[test]
    fn the_cloud_is_for_programs() {
        let host = ("host", "127.0.0.1:3001");
        assert_eq!(asked(&Pages::Nobody, &Method::POST, &[host]), 200);
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            assert_eq!(asked(&Pages::Nobody, &method, &[host, ("origin", "http://127.0.0.1:3001")]), 403);
            assert_eq!(asked(&Pages::Nobody, &method, &[host, ("sec-fetch-site", "none")]), 403);
        }
    }
}
