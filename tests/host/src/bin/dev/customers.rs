//! The demo's second sync: customers in a table of the dashboard, and contacts in a simulated CRM.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON read by name is null where there is nothing, it never panics"
)]

use anyhow::{Context, Result};
use platforms::{HubspotHandle, contact};
use serde_json::{Value, json};

use crate::api::Caller;
use crate::real::Account;
use crate::session::{self, Person, text};
use crate::world::World;

/// Customers that both sides have, that only the dashboard has, and that only the CRM has.
const BOTH: usize = 150;
const ONLY_HERE: usize = 100;
const ONLY_THERE: usize = 50;
/// What the sync is called.
const NAME: &str = "Customers";

const FIRST: [&str; 10] = ["Mia", "Noor", "Åsa", "José", "Chloé", "Yuki", "Olena", "Kwame", "Zoë", "Łukasz"];
const LAST: [&str; 10] =
    ["Meyer", "Haddad", "Lindström", "Núñez", "Dubois", "田中", "Shevchenko", "Mensah", "O'Neill", "Nowak"];
const FIRMS: [&str; 5] = ["Oak & Co", "Birch Ltd", "Čedar s.r.o.", "Linde GmbH", "松 Trading"];

/// The dashboard's table: each row its owner's, changes and deletes noted by a trigger.
const TABLE: &str = "
create table if not exists public.customers (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  email text not null,
  first_name text,
  last_name text,
  company text,
  updated_at timestamptz not null default now(),
  constraint customers_are_known_once unique (owner_id, email)
);
alter table public.customers enable row level security;
drop policy if exists \"Owners work with their customers\" on public.customers;
create policy \"Owners work with their customers\" on public.customers to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
grant select, insert, update, delete on public.customers to authenticated;
select sync.watch_table('public.customers', 'id', 'owner_id')";

/// One made-up customer: address, first name, last name, company.
fn customer(number: usize) -> [String; 4] {
    let pick = |from: &[&str], step: usize| {
        let place = number.checked_div(step).unwrap_or(0).checked_rem(from.len()).unwrap_or(0);
        from.get(place).copied().unwrap_or_default().to_owned()
    };
    [format!("customer{number}@example.com"), pick(&FIRST, 1), pick(&LAST, 3), pick(&FIRMS, 7)]
}

/// Fills the simulated CRM. Of those that both have, it does not know the company yet.
pub(crate) fn fill(crm: &HubspotHandle) {
    let there = (0..BOTH)
        .chain(BOTH.saturating_add(ONLY_HERE)..BOTH.saturating_add(ONLY_HERE).saturating_add(ONLY_THERE));
    crm.has_all(there.map(|number| {
        let [email, first, last, company] = customer(number);
        let known = contact(&email).with("firstname", &first).with("lastname", &last);
        if number < BOTH { known } else { known.with("company", &company) }
    }));
}

/// Makes the table, the accounts and the sync, and carries it out; answers the sync's id.
pub(crate) async fn sync(world: &World, person: &Person, crm: &HubspotHandle) -> Result<String> {
    rows(world, person).await?;
    let caller = Caller::User(&person.token);
    let known = world.api.get("integrations?platform=supabase", caller).await?["data"][0]["id"].clone();
    let dashboard = if known.is_null() {
        let config =
            json!({ "tables": { "customer": { "table": "public.customers", "changes": "trigger" } } });
        let body = json!({ "name": "Dashboard", "platform": "supabase", "config": config });
        world.api.post("integrations", caller, &body).await?["id"].take()
    } else {
        known
    };
    let account = Account {
        platform: "hubspot",
        name: "CRM",
        base_url: crm.address().to_owned(),
        config: json!({}),
        credential: json!({ "kind": "access_token", "access_token": crm.token() }),
    };
    let crm_id = session::connect(world, person, &account).await?;
    let id = config(world, person, (&dashboard, &crm_id)).await?;
    let wish = json!({ "configId": id });
    let run = world.api.post("sync-perform", caller, &wish).await.context("the customers' sync")?;
    eprintln!(
        "{}: customers {}: {} records, {} created, {} updated, {} unchanged, {} failed",
        person.name,
        text(&run["status"]),
        run["recordsProcessed"],
        run["recordsCreated"],
        run["recordsUpdated"],
        run["recordsUnchanged"],
        run["recordsFailed"]
    );
    Ok(id)
}

/// The table with its customers, unless they are there already.
async fn rows(world: &World, person: &Person) -> Result<()> {
    let admin = world.admin().await?;
    admin.batch_execute(TABLE).await.context("the table of customers cannot be made")?;
    let here: Vec<Value> =
        (0..BOTH.saturating_add(ONLY_HERE)).map(|number| json!(customer(number))).collect();
    let add = "insert into public.customers (owner_id, email, first_name, last_name, company) \
               select u.id, one ->> 0, one ->> 1, one ->> 2, one ->> 3 \
               from auth.users as u, jsonb_array_elements($1::text::jsonb) as given (one) where u.email = $2 \
               on conflict (owner_id, email) do nothing";
    let email = format!("{}@example.com", person.name);
    admin.execute(add, &[&json!(here).to_string(), &email]).await?;
    Ok(())
}

/// The sync between both, made where it is not there.
async fn config(world: &World, person: &Person, (source, target): (&Value, &str)) -> Result<String> {
    let caller = Caller::User(&person.token);
    let known = world.api.get("sync-configs?itemType=customer", caller).await?;
    if let Some(id) = known["data"][0]["id"].as_str() {
        return Ok(id.to_owned());
    }
    let mapping = json!([
        { "source": "email", "target": "email" },
        { "source": "first_name", "target": "firstName" },
        { "source": "last_name", "target": "lastName" },
        { "source": "company", "target": "company" },
    ]);
    let body = json!({
        "name": NAME, "itemType": "customer", "direction": "bidirectional", "schedule": "*/5 * * * *",
        "sourceIntegrationId": source, "targetIntegrationId": target,
        "rules": { "mapping": mapping, "strategy": "last_write_wins", "deletes": "delete" },
    });
    let made = world.api.post("sync-configs", caller, &body).await?;
    Ok(text(&made["id"]).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_customer_has_an_address_of_their_own_and_a_name() {
        let all: Vec<[String; 4]> = (0..300).map(customer).collect();
        let addresses: HashSet<&String> = all.iter().map(|one| &one[0]).collect();
        assert_eq!(addresses.len(), 300);
        assert!(all.iter().flatten().all(|value| !value.is_empty()));
    }
}
