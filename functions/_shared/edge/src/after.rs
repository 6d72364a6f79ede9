//! Work that goes on when the answer is out.

use crate::Problem;
use std::future::Future;

/// Goes on with this work after the answer. Nobody waits for it and nobody is told: whatever must not be lost stands
/// in the queue. How it ended is logged under the request's id.
pub fn after_answer(request_id: String, work: impl Future<Output = Result<(), Problem>> + 'static) {
    spin_sdk::wasip3::spawn(async move {
        let line = match work.await {
            Ok(()) => {
                serde_json::json!({"level": "info", "message": "finished after the answer", "request_id": request_id})
            }
            Err(problem) => serde_json::json!({
                "level": "error", "message": "broke off after the answer", "request_id": request_id,
                "code": problem.code().word(), "cause": problem.cause(),
            }),
        };
        eprintln!("{line}");
    });
}
