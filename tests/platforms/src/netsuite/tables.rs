//! The tables of SuiteQL, kept up to date with the records.

use std::collections::BTreeSet;

use rusqlite::config::DbConfig;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Result, params_from_iter};

use super::functions::kept;
use super::ledger::{Key, Ledger, Record};
use super::metadata::is_item;
use super::rows::{column, number_of, plain_row};

const SCHEMA: &str = "
create table item (id integer primary key, itemid text, fullname text, displayname text, externalid text, itemtype text,
  isinactive text, isonline text, parent integer, upccode text, mpn text, manufacturer text, storedisplayname text,
  storedescription text, storedetaileddescription text, description text, salesdescription text, purchasedescription text,
  cost numeric, weight numeric, class integer, department integer, location integer, matrixtype text,
  totalquantityonhand numeric, createddate text, lastmodifieddate text, lastquantityavailablechange text, ns_family integer);
create index item_by_time on item (lastmodifieddate, id);
create index item_by_parent on item (parent);
create index item_by_external on item (externalid);
create index item_by_name on item (itemid);
create index item_by_upc on item (upccode);
create index item_by_family on item (ns_family, lastmodifieddate);
create table pricing (item integer, currency integer, pricelevel integer, quantity numeric, unitprice numeric);
create index pricing_by_item on pricing (item);
create view itemprice as select item, currency as currencypage, currency, pricelevel, quantity, unitprice as price from pricing;
create table inventoryitemlocations (item integer, location integer, quantityonhand numeric, quantityavailable numeric,
  quantityonorder numeric, quantitycommitted numeric, quantitybackordered numeric);
create index stock_by_item on inventoryitemlocations (item);
create view aggregateitemlocation as select * from inventoryitemlocations;
create view inventorybalance as select item, location, quantityonhand, quantityavailable from inventoryitemlocations;
create table transaction_ (id integer primary key, tranid text, type text, recordtype text, trandate text, entity integer,
  otherrefnum text, memo text, email text, currency integer, status text, foreigntotal numeric, total numeric,
  externalid text, location integer, subsidiary integer, shippingaddress integer, createddate text, lastmodifieddate text);
create index transaction_by_time on transaction_ (lastmodifieddate, id);
create index transaction_by_external on transaction_ (externalid);
create table transactionline (id integer, transaction_ integer, linesequencenumber integer, uniquekey integer, mainline text,
  taxline text, item integer, quantity numeric, rate numeric, netamount numeric, foreignamount numeric, memo text,
  location integer, isclosed text);
create index line_by_transaction on transactionline (transaction_);
create table transactionshippingaddress (nkey integer primary key, addressee text, attention text, addr1 text, addr2 text,
  addr3 text, city text, state text, zip text, country text, addrphone text);
create table customer (id integer primary key, entityid text, companyname text, firstname text, lastname text, email text,
  phone text, isinactive text, isperson text, externalid text, subsidiary integer, datecreated text, lastmodifieddate text);
create table location (id integer primary key, name text, fullname text, externalid text, isinactive text);
create table subsidiary (id integer primary key, name text, fullname text, externalid text, isinactive text);
create table classification (id integer primary key, name text, fullname text, externalid text, isinactive text);
create table department (id integer primary key, name text, fullname text, externalid text, isinactive text);
create table pricelevel (id integer primary key, name text, isinactive text);
create table currency (id integer primary key, name text, symbol text, isbasecurrency text, isinactive text, exchangerate numeric);
create table deletedrecord (recordid integer, recordtypeid text, type text, name text, deleteddate text);
create table dual (dummy text);
insert into dual values ('X');
";

/// An item's parent, or the item itself: a column of ours, so that families can be found by an index.
pub(crate) const FAMILY: &str = "ns_family";

/// The words `transaction` and its column are taken in `SQLite`; statements get the names above in their place.
pub(crate) fn renamed(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut inside = false;
    let mut word = String::new();
    for letter in sql.chars().chain(std::iter::once(' ')) {
        if !inside && (letter.is_alphanumeric() || letter == '_') {
            word.push(letter);
            continue;
        }
        out.push_str(if word.eq_ignore_ascii_case("transaction") { "transaction_" } else { &word });
        word.clear();
        if letter == '\'' {
            inside = !inside;
        }
        out.push(letter);
    }
    out
}

/// The tables and what is known of their columns.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) connection: Connection,
    customs: BTreeSet<(&'static str, String)>,
    gone: usize,
}

impl Tables {
    /// Empty tables.
    ///
    /// # Errors
    /// `SQLite` refuses the schema; a test would have said so.
    pub(crate) fn new(connection: Connection) -> Result<Self> {
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "case_sensitive_like", true)?;
        // A misspelt name in double quotes is an error, not a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        Ok(Self { connection, customs: BTreeSet::new(), gone: 0 })
    }

    /// Makes a column for a custom field, once.
    ///
    /// # Errors
    /// `SQLite` refuses it.
    pub(crate) fn custom(&mut self, name: &str) -> Result<()> {
        let table = if name.starts_with("custitem") {
            "item"
        } else if name.starts_with("custbody") {
            "transaction_"
        } else {
            return Ok(());
        };
        if self.customs.insert((table, name.to_owned())) {
            self.connection.execute_batch(&format!("alter table {table} add column \"{name}\" text"))?;
        }
        Ok(())
    }

    /// Brings the tables up to date with the records that changed.
    ///
    /// # Errors
    /// `SQLite` refuses a row.
    pub(crate) fn refresh(&mut self, ledger: &mut Ledger) -> Result<()> {
        if ledger.dirty.is_empty() {
            return Ok(());
        }
        let dirty = std::mem::take(&mut ledger.dirty);
        for key in &dirty {
            if let Some(record) = ledger.records.get(key) {
                for name in record.fields.keys().filter(|name| name.starts_with("cust")) {
                    self.custom(&name.to_ascii_lowercase())?;
                }
            }
        }
        self.connection.execute_batch("begin")?;
        for key in &dirty {
            self.forget(*key)?;
            if let Some(record) = ledger.records.get(key) {
                self.remember(ledger, record)?;
            }
        }
        for gone in ledger.gone.iter().skip(self.gone) {
            let row = vec![
                column("recordid", number_of(gone.id)),
                column("recordtypeid", Cell::Text(gone.kind.to_owned())),
                column("type", Cell::Text(gone.kind.to_owned())),
                column("name", Cell::Text(gone.name.clone())),
                column("deleteddate", Cell::Text(kept(gone.at))),
            ];
            self.insert("deletedrecord", &row)?;
        }
        self.gone = ledger.gone.len();
        self.connection.execute_batch("commit")
    }

    fn forget(&self, (space, id): Key) -> Result<()> {
        let statements: &[&str] = match space {
            "item" => &[
                "delete from item where id = ?1",
                "delete from pricing where item = ?1",
                "delete from inventoryitemlocations where item = ?1",
            ],
            "transaction" => &[
                "delete from transaction_ where id = ?1",
                "delete from transactionline where transaction_ = ?1",
                "delete from transactionshippingaddress where nkey = ?1",
            ],
            "customer" => &["delete from customer where id = ?1"],
            "location" => &["delete from location where id = ?1"],
            "subsidiary" => &["delete from subsidiary where id = ?1"],
            "classification" => &["delete from classification where id = ?1"],
            "department" => &["delete from department where id = ?1"],
            "priceLevel" => &["delete from pricelevel where id = ?1"],
            "currency" => &["delete from currency where id = ?1"],
            _ => &[],
        };
        for statement in statements {
            self.connection.prepare_cached(statement)?.execute([number_of(id)])?;
        }
        Ok(())
    }

    fn remember(&self, ledger: &Ledger, record: &Record) -> Result<()> {
        match record.kind {
            kind if is_item(kind) => self.item(ledger, record),
            "salesOrder" | "inventoryAdjustment" => self.transaction(record),
            kind => {
                let table = kind.to_ascii_lowercase();
                self.insert(&table, &plain_row(record))
            }
        }
    }

    pub(super) fn insert(&self, table: &str, row: &[(String, Cell)]) -> Result<()> {
        let names: Vec<String> = row.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let places = vec!["?"; row.len()].join(", ");
        let sql = format!("insert into {table} ({}) values ({places})", names.join(", "));
        self.connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(row.iter().map(|(_, value)| value)))?;
        Ok(())
    }
}
