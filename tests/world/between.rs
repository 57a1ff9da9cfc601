//! Something that happens between two requests of a use case: just before the one that is named.

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::HttpRequest,
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

type Act = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request of the table by its action and a word of its body, and what happens before it, once.
pub type Moment = Arc<Mutex<Option<(&'static str, &'static str, Act)>>>;

/// The wire, with such a moment.
pub struct Between<C> {
    pub inner: C,
    pub moment: Moment,
}

impl<C: std::fmt::Debug> std::fmt::Debug for Between<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

fn is_meant(request: &HttpRequest, action: &str, word: &str) -> bool {
    let says = |body: &[u8]| String::from_utf8_lossy(body).contains(word);
    request.headers().get("x-amz-target").is_some_and(|t| t.ends_with(action)) && request.body().bytes().is_some_and(says)
}

impl<C: HttpConnector + Clone + 'static> HttpConnector for Between<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut waiting = self.moment.lock().unwrap();
        let Some((.., act)) = waiting.take_if(|(action, word, _)| is_meant(&request, action, word)) else {
            drop(waiting);
            return self.inner.call(request);
        };
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            act.await;
            inner.call(request).await
        })
    }
}
