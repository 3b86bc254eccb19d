//! The request that is sent, and what becomes of it when it is redirected.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Version};
use squirrel_outbound::base64;

use super::HttpCheck;
use super::redirect::Place;
use crate::finding::Failed;

/// Headers that the request sets itself.
const OWN: [&str; 6] = ["content-length", "transfer-encoding", "connection", "te", "upgrade", "trailer"];

/// A request without its place.
pub(super) struct Outgoing {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    /// The value of the module's own `Host` header.
    host: Option<String>,
}

impl Outgoing {
    /// `hostname` is what whoever asks calls the host; the module has to agree or have no word of it.
    pub(super) fn of(check: &HttpCheck, first: &Place, hostname: Option<&str>) -> Result<Self, Failed> {
        let method = Method::from_bytes(check.method.as_bytes())
            .map_err(|_| Failed::new(format!("{:?} is no method of HTTP", check.method)))?;
        if method == Method::CONNECT {
            return Err(Failed::new("CONNECT is for proxies: it asks no server anything"));
        }
        let mut headers = HeaderMap::new();
        let mut host = None;
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("squirrel/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in &check.headers {
            let refused =
                || Failed::new(format!("the header {name:?} is not one that HTTP allows, or is set by itself"));
            let own = OWN.iter().any(|own| name.eq_ignore_ascii_case(own));
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| !own).ok_or_else(refused)?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
            if parsed == HOST {
                host = value.to_str().ok().map(str::to_owned);
            } else {
                value.set_sensitive(true);
                headers.insert(parsed, value);
            }
        }
        let authorization = match (&check.basic_auth, &check.authorization) {
            (Some((user, password)), _) => {
                Some(format!("Basic {}", base64(format!("{user}:{}", password.expose()).as_bytes())))
            }
            (None, Some(value)) => Some(value.expose().to_owned()),
            (None, None) => None,
        };
        if let Some(value) = authorization {
            let refused = |_| Failed::new("the credentials hold what no header can");
            let mut value = HeaderValue::from_str(&value).map_err(refused)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(hostname) = hostname {
            if host.as_deref().is_some_and(|host| host != hostname) {
                return Err(Failed::new(
                    "the module has a Host header of its own, and hostname is another: leave one out",
                ));
            }
            host = Some(hostname.to_owned());
        }
        if host.as_deref().is_some_and(|host| host.is_empty() || host.contains(['/', '@', ' '])) {
            return Err(Failed::new(format!("the Host header for {first} is no host")));
        }
        Ok(Self {
            method,
            headers,
            body: check.body.as_ref().map_or(Bytes::new(), |body| Bytes::from(body.expose().to_owned())),
            host,
        })
    }

    /// The name that the server's certificate is to be for.
    pub(super) fn tls_name(&self, place: &Place) -> String {
        let host = self.host.as_deref().unwrap_or(&place.host);
        match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address.to_owned(),
            None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default().to_owned(),
            None => host.to_owned(),
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// In hyper's form. HTTP/2 has the host as a part of the place, and no header for it.
    pub(super) fn to(&self, place: &Place, is_http2: bool) -> Result<hyper::Request<Full<Bytes>>, Failed> {
        let refused = |_| Failed::new("the target's path cannot be sent");
        let mut request = hyper::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        let host = self.host.clone().unwrap_or_else(|| place.authority());
        if is_http2 {
            *request.version_mut() = Version::HTTP_2;
            *request.uri_mut() = format!("https://{host}{}", place.path).parse().map_err(refused)?;
        } else {
            *request.uri_mut() = place.path.parse().map_err(refused)?;
            let host = HeaderValue::from_str(&host).map_err(|_| Failed::new("the host cannot be sent"))?;
            request.headers_mut().insert(HOST, host);
        }
        if !self.body.is_empty() {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        Ok(request)
    }

    /// As browsers follow: 307 and 308 repeat the request, others ask with GET. Another host gets no header that the
    /// module wrote: each may be a secret.
    pub(super) fn follow(&mut self, status: u16, is_same_host: bool) {
        if !matches!(status, 307 | 308) && self.method != Method::HEAD && self.method != Method::GET {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(hyper::header::CONTENT_TYPE);
        }
        if !is_same_host {
            self.host = None;
            self.body = Bytes::new();
            let agent = self.headers.remove(USER_AGENT);
            self.headers.clear();
            self.headers.extend(agent.map(|agent| (USER_AGENT, agent)));
        }
    }
}
