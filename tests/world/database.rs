//! Postgres with our schema: one cluster for all tests, a database for each.

use host::Cluster;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// The template that every test's database is copied from.
const TEMPLATE: &str = "syncline_template";
/// The functions' password in tests; the migration sets none.
const PASSWORD: &str = "functions";

static CLUSTER: OnceCell<Arc<Cluster>> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of a test.
pub struct Database {
    name: String,
    pub cluster: Arc<Cluster>,
}

impl Database {
    /// A fresh database with our schema and nothing in it.
    pub async fn fresh() -> Self {
        let cluster = CLUSTER.get_or_init(started).await.clone();
        Self::of(cluster).await
    }

    /// The same in a cluster of its own, for tests that are hard on it.
    pub async fn alone() -> Self {
        Self::of(started().await).await
    }

    async fn of(cluster: Arc<Cluster>) -> Self {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        cluster.create_from_template(TEMPLATE, &name).await.unwrap();
        Self { name, cluster }
    }

    /// The address, as superuser.
    pub fn url(&self) -> String {
        self.cluster.admin_url(&self.name)
    }

    /// The address as the functions use it.
    pub fn functions_url(&self) -> String {
        format!("postgres://sync_functions:{PASSWORD}@{}/{}?sslmode=disable", self.host(), self.name)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.cluster.port())
    }

    /// Runs statements as superuser.
    pub async fn run(&self, statements: &str) {
        let client = connect(&self.url()).await;
        client.batch_execute(statements).await.unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    }

    /// The one text that a query answers.
    pub async fn text(&self, query: &str) -> String {
        let client = connect(&self.url()).await;
        client.query_one(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}")).get(0)
    }

    /// The one number that a query answers.
    pub async fn count(&self, query: &str) -> i64 {
        let client = connect(&self.url()).await;
        client.query_one(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}")).get(0)
    }
}

/// A cluster with its template migrated.
async fn started() -> Arc<Cluster> {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start_own(None)).await.unwrap().unwrap();
    cluster.create_template(TEMPLATE, &super::root().join("supabase/migrations")).await.unwrap();
    let admin = connect(&cluster.admin_url("postgres")).await;
    admin.batch_execute(&format!("alter role sync_functions password '{PASSWORD}'")).await.unwrap();
    Arc::new(cluster)
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
