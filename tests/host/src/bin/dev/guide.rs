//! What there is to do with a running world, to copy and paste.

use crate::session::Person;
use crate::world::World;

/// Prints addresses, tokens and commands.
pub(crate) fn print(world: &World, people: &[Person]) {
    println!("\nSyncline is up at {}\n", world.url());
    println!("export SYNCLINE={}", world.api.base());
    println!("export SECRET_KEY={}", world.keys.secret_key);
    for (at, person) in people.iter().enumerate() {
        // The first person's token is the one that the commands below use.
        let name =
            if at == 0 { "TOKEN".to_owned() } else { format!("TOKEN_OF_{}", person.name.to_uppercase()) };
        println!("export {name}={}", person.token);
    }
    println!("\n# Sync the list of {}: what did not change is not written", first_name(people));
    println!("{}", post("delta-sync", "{}"));
    println!("# The last runs; the list; jobs in the queue");
    println!("{}", get("sync-history?limit=5"));
    println!("{}", get("sync-list?limit=5"));
    println!("{}", get("queue?limit=5"));
    if world.merchants.is_empty() {
        real_accounts();
    } else {
        edit_a_product(world);
        println!(
            "# The customers' sync, both ways between a table and a CRM; what is gone on one side; what waits for you"
        );
        println!("{}", get("sync-configs?itemType=customer"));
        println!("{}", get("deletes"));
        println!("{}", get("conflicts?status=pending"));
    }
    println!("# How every part is; what the functions take and answer");
    println!("curl -s \"$SYNCLINE/health\" -H \"apikey: $SECRET_KEY\"");
    println!("curl -s \"$SYNCLINE/openapi\"");
    println!("\nChanges of functions/, sql/ and spin.toml are built and loaded. Ctrl-C stops everything.\n");
}

fn first_name(people: &[Person]) -> &str {
    people.first().map_or("nobody", |person| person.name.as_str())
}

fn get(path: &str) -> String {
    format!("curl -s \"$SYNCLINE/{path}\" -H \"authorization: Bearer $TOKEN\"")
}

fn post(path: &str, body: &str) -> String {
    format!(
        "curl -s \"$SYNCLINE/{path}\" -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' -d '{body}'"
    )
}

/// How to put a first item on the list of real accounts.
fn real_accounts() {
    println!("# Look for products, put one on the list, and sync: only then is anything written");
    println!("{}", get("integrations"));
    println!(
        "{}",
        post(
            "sync-list",
            "{\"itemType\": \"product\", \"sourcePlatform\": \"shopify\", \"targetPlatform\": \"netsuite\", \
             \"items\": [{\"sourceId\": \"gid://shopify/Product/…\"}]}"
        )
    );
}

/// How the merchant renames a product in the simulated shop. Then `delta-sync` has one thing to do.
fn edit_a_product(world: &World) {
    let Some(merchant) = world.merchants.first() else { return };
    let Some(id) = merchant.shop.product_id("P-1") else { return };
    println!(
        "# Rename a product in {}'s simulated shop (its GraphQL Admin API), then sync again",
        merchant.name
    );
    println!(
        "curl -s {}/admin/api/2026-10/graphql.json -H 'x-shopify-access-token: {}' -H 'content-type: application/json' \
         -d '{{\"query\": \"mutation {{ productUpdate(product: {{id: \\\"{id}\\\", title: \\\"Renamed\\\"}}) \
         {{ product {{ title }} userErrors {{ message }} }} }}\"}}'",
        merchant.shop.address(),
        merchant.shop.token()
    );
}
