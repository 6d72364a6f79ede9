//! What a function writes down: the door, and an action for each method.

use crate::Problem;
use crate::answer::{Answer, Output};
use crate::call::{Call, Door};
use crate::flow;
use crate::host::Host;
use crate::input::Input;
use bytes::Bytes;
use futures::future::LocalBoxFuture;
use http::Method;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use spin_sdk::http::Request;

/// What the host is handed.
pub type Response = http::Response<Full<Bytes>>;

pub(crate) type Work = LocalBoxFuture<'static, Result<Answer, Problem>>;
pub(crate) type Action = Box<dyn FnOnce(Call<Input>) -> Result<Work, Problem>>;

/// The actions of a function.
#[derive(Default)]
pub(crate) struct Routes {
    actions: Vec<(Method, Action)>,
    function: String,
}

impl Routes {
    pub(crate) fn add<I, O, F>(&mut self, method: Method, run: F)
    where
        I: DeserializeOwned + 'static,
        O: Output + 'static,
        F: AsyncFnOnce(Call<I>) -> Result<O, Problem> + 'static,
    {
        if self.function.is_empty() {
            self.function = function_name::<F>();
        }
        // Reading the input comes first and by itself: a request that is refused here has not begun.
        let action: Action = Box::new(move |call| {
            let (call, input) = call.with_input(());
            let (call, ()) = call.with_input(input.into_typed::<I>()?);
            Ok(Box::pin(async move { run(call).await?.answer() }))
        });
        self.actions.push((method, action));
    }

    pub(crate) fn function(&self) -> &str {
        &self.function
    }

    /// The action for a method; `HEAD` is a `GET` whose body the server leaves out.
    pub(crate) fn take(&mut self, method: &Method) -> Option<Action> {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let position = self.actions.iter().position(|(known, _)| known == wanted)?;
        Some(self.actions.swap_remove(position).1)
    }

    /// The methods there are, for `Allow`.
    pub(crate) fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.actions.iter().map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

/// The function's name is that of the crate its action stands in: folder, crate and component have one name, and
/// only the compiler spells it with `_`.
fn function_name<F>() -> String {
    let path = std::any::type_name::<F>();
    path.split("::").next().unwrap_or_default().trim_start_matches(['&', '<']).replace('_', "-")
}

/// A request on its way to an action.
pub struct Service {
    request: Request,
    door: Door,
    routes: Routes,
}

/// Serves a request: who may call, and what is done.
///
/// ```ignore
/// #[http_service]
/// async fn handle(request: Request) -> impl IntoResponse {
///     edge::serve(request, Door::User).get(list).post(create).answer().await
/// }
///
/// async fn create(call: Call<Input>) -> Result<Created<Output>, Problem> { … }
/// ```
pub fn serve(request: Request, door: Door) -> Service {
    Service { request, door, routes: Routes::default() }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $method:ident;)+) => {
        impl Service {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name<I, O, F>(mut self, run: F) -> Self
                where
                    I: DeserializeOwned + 'static,
                    O: Output + 'static,
                    F: AsyncFnOnce(Call<I>) -> Result<O, Problem> + 'static,
                {
                    self.routes.add(Method::$method, run);
                    self
                }
            )+
        }
    };
}

methods! {
    /// What `GET` does. Its input is the query; `HEAD` comes with it.
    get GET;
    /// What `POST` does. Its input is the body.
    post POST;
    /// What `PUT` does. Its input is the body.
    put PUT;
    /// What `PATCH` does. Its input is the body.
    patch PATCH;
    /// What `DELETE` does. Its input is the query.
    delete DELETE;
}

impl Service {
    /// Lets the request go its way. There is always an answer, with every header that answers have.
    pub async fn answer(self) -> Response {
        flow::run(&Host, self.request, self.door, self.routes).await.map(Full::new)
    }
}
