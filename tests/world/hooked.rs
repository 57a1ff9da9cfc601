//! A wire with a hook on it, for what the fault layer cannot say: something else happens just before one request, or one
//! kind of request is answered in another way.

use super::{NoSleep, World, environment, seeded};
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use qutab::{app::Shop, runtime::clients::Wiring, secrets::token::generate_keys};
use qutab_local::wire::Wire;
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

type Act = Pin<Box<dyn Future<Output = ()> + Send>>;
type Matches = Box<dyn Fn(&HttpRequest) -> bool + Send>;

#[derive(Clone)]
pub struct Hooked {
    wire: Wire,
    before: Arc<Mutex<Option<(Matches, Act)>>>,
    instead: Arc<Mutex<Option<(Matches, u16, String)>>>,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooked")
    }
}

impl Hooked {
    /// Lets `act` happen before the next request that matches.
    pub fn before(&self, matches: impl Fn(&HttpRequest) -> bool + Send + 'static, act: impl Future<Output = ()> + Send + 'static) {
        *self.before.lock().unwrap() = Some((Box::new(matches), Box::pin(act)));
    }

    /// Answers every request that matches with `status` and `body`, without sending it.
    pub fn instead(&self, matches: impl Fn(&HttpRequest) -> bool + Send + 'static, status: u16, body: &str) {
        *self.instead.lock().unwrap() = Some((Box::new(matches), status, body.to_owned()));
    }

    /// Sends everything again as it is.
    pub fn let_go(&self) {
        *self.instead.lock().unwrap() = None;
    }
}

/// Whether a request asks DynamoDB for `operation` and names `text` in its body.
pub fn asks(request: &HttpRequest, operation: &str, text: &str) -> bool {
    let target = request.headers().get("x-amz-target").is_some_and(|t| t.ends_with(operation));
    target && request.body().bytes().is_some_and(|b| String::from_utf8_lossy(b).contains(text))
}

impl HttpConnector for Hooked {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some((matches, status, body)) = &*self.instead.lock().unwrap()
            && matches(&request)
        {
            let mut answer = HttpResponse::new((*status).try_into().unwrap(), SdkBody::from(body.clone()));
            answer.headers_mut().insert("content-type", "application/json");
            return HttpConnectorFuture::ready(Ok(answer));
        }
        let hit = self.before.lock().unwrap().as_ref().is_some_and(|(matches, _)| matches(&request));
        let Some((_, act)) = hit.then(|| self.before.lock().unwrap().take()).flatten() else { return self.wire.call(request) };
        let wire = self.wire.clone();
        HttpConnectorFuture::new(async move {
            act.await;
            wire.call(request).await
        })
    }
}

impl World {
    /// The shop over a wire with a hook, beside the usual one: another process of the same functions.
    pub fn hooked(&self) -> (Shop, Hooked) {
        let hooked = Hooked { wire: self.wire.clone(), before: Arc::default(), instead: Arc::default() };
        let (signing, public) = generate_keys("k2").unwrap();
        let wire = SharedHttpConnector::new(hooked.clone());
        let wiring = Wiring {
            wire: wire.clone(),
            outside: wire,
            sleep: SharedAsyncSleep::new(NoSleep),
            entropy: seeded(99),
            environment: environment(&signing, &public),
        };
        (wiring.shop(self.shop.app.clock.clone()).unwrap(), hooked)
    }
}
