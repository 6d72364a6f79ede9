//! The tables of SuiteQL, kept up to date with the records.

use std::collections::BTreeSet;

use rusqlite::config::DbConfig;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Result, params_from_iter};
use serde_json::{Map, Value};

use super::functions::kept;
use super::ledger::{Key, Ledger, Record, display_name, quantity_text, reference};
use super::metadata::is_item;
use super::records::{item_type, total};

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

/// A row as names and values.
type Row = Vec<(String, Cell)>;

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

    fn item(&self, ledger: &Ledger, record: &Record) -> Result<()> {
        let mut row = common(record);
        let parent = record.reference("parent").and_then(|id| ledger.item(id));
        let own = record.text("itemId");
        let full =
            parent.map_or_else(|| own.to_owned(), |parent| format!("{} : {own}", display_name(parent)));
        row.push(column("fullname", Cell::Text(full)));
        row.push(column(FAMILY, number_of(record.reference("parent").unwrap_or(record.id))));
        row.push(column("itemtype", Cell::Text(item_type(record.kind).to_owned())));
        row.push(column("createddate", Cell::Text(kept(record.created))));
        let names = [
            "itemId",
            "displayName",
            "isInactive",
            "isOnline",
            "parent",
            "upcCode",
            "mpn",
            "manufacturer",
            "storeDisplayName",
            "storeDescription",
            "storeDetailedDescription",
            "salesDescription",
            "purchaseDescription",
            "cost",
            "weight",
            "class",
            "department",
            "location",
            "matrixType",
        ];
        fields(record, &names, &mut row);
        row.push(column("description", text_cell(record.text("salesDescription"))));
        if let Some(changed) = ledger.stock_changed.get(&record.id) {
            row.push(column("lastquantityavailablechange", Cell::Text(kept(*changed))));
        }
        let places = ledger.stock.get(&record.id);
        let held: i128 = places.map_or(0, |places| places.values().map(|place| place.on_hand).sum());
        row.push(column("totalquantityonhand", Cell::Text(quantity_text(held))));
        self.insert("item", &row)?;
        for line in record.lines("price") {
            let row = [
                column("item", number_of(record.id)),
                column("currency", id_cell(line.get("currencyPage"))),
                column("pricelevel", id_cell(line.get("priceLevel"))),
                column("quantity", id_cell(line.get("quantity"))),
                column("unitprice", cell(line.get("price"))),
            ];
            self.insert("pricing", &row)?;
        }
        if record.kind == "inventoryItem" {
            for place in ledger.of_kind("location") {
                let held = Cell::Text(quantity_text(ledger.on_hand(record.id, place.id)));
                let row = [
                    column("item", number_of(record.id)),
                    column("location", number_of(place.id)),
                    column("quantityonhand", held.clone()),
                    column("quantityavailable", held),
                ];
                self.insert("inventoryitemlocations", &row)?;
            }
        }
        Ok(())
    }

    fn transaction(&self, record: &Record) -> Result<()> {
        let order = record.kind == "salesOrder";
        let mut row = common(record);
        let (kind, name) =
            if order { ("SalesOrd", "salesorder") } else { ("InvAdjst", "inventoryadjustment") };
        row.push(column("type", Cell::Text(kind.to_owned())));
        row.push(column("recordtype", Cell::Text(name.to_owned())));
        row.push(column("createddate", Cell::Text(kept(record.created))));
        let names =
            ["tranId", "entity", "otherRefNum", "memo", "email", "currency", "location", "subsidiary"];
        fields(record, &names, &mut row);
        if let Some(day) = Some(record.text("tranDate")).filter(|day| !day.is_empty()) {
            row.push(column("trandate", Cell::Text(format!("{}{day} 00:00:00", super::functions::MARK))));
        }
        if order {
            row.push(column("status", id_text(record.fields.get("orderStatus"))));
            row.push(column("foreigntotal", Cell::Text(total(record))));
            row.push(column("total", Cell::Text(total(record))));
        }
        if let Some(address) = record.fields.get("shippingAddress").and_then(Value::as_object) {
            row.push(column("shippingaddress", number_of(record.id)));
            self.address(record.id, address)?;
        }
        self.insert("transaction_", &row)?;
        self.main_line(record)?;
        let lines = record.lines(if order { "item" } else { "inventory" });
        for (at, line) in lines.iter().enumerate() {
            // The quantity of a sale leaves the stock: it is negative in this table.
            let quantity = line
                .get(if order { "quantity" } else { "adjustQtyBy" })
                .and_then(Value::as_str)
                .unwrap_or("0");
            let quantity = if order { negated(quantity) } else { quantity.to_owned() };
            let number = line.get("line").and_then(Value::as_i64).unwrap_or_default();
            let row = [
                column("id", Cell::Integer(number)),
                column("transaction_", number_of(record.id)),
                column("linesequencenumber", Cell::Integer(i64::try_from(at).unwrap_or_default() + 1)),
                column("uniquekey", Cell::Integer(unique_key(record.id, number))),
                column("mainline", Cell::Text("F".to_owned())),
                column("taxline", Cell::Text("F".to_owned())),
                column("item", id_cell(line.get("item"))),
                column("quantity", Cell::Text(quantity)),
                column("rate", cell(line.get("rate"))),
                column(
                    "netamount",
                    line.get("amount")
                        .and_then(Value::as_str)
                        .map_or(Cell::Null, |it| Cell::Text(negated(it))),
                ),
                column(
                    "foreignamount",
                    line.get("amount")
                        .and_then(Value::as_str)
                        .map_or(Cell::Null, |it| Cell::Text(negated(it))),
                ),
                column("memo", cell(line.get("description").or_else(|| line.get("memo")))),
                column("location", id_cell(line.get("location"))),
                column("isclosed", Cell::Text("F".to_owned())),
            ];
            self.insert("transactionline", &row)?;
        }
        Ok(())
    }

    fn main_line(&self, record: &Record) -> Result<()> {
        let row = [
            column("id", Cell::Integer(0)),
            column("transaction_", number_of(record.id)),
            column("linesequencenumber", Cell::Integer(0)),
            column("uniquekey", Cell::Integer(unique_key(record.id, 0))),
            column("mainline", Cell::Text("T".to_owned())),
            column("taxline", Cell::Text("F".to_owned())),
            column("netamount", Cell::Text(total(record))),
            column("foreignamount", Cell::Text(total(record))),
        ];
        self.insert("transactionline", &row)
    }

    fn address(&self, id: u64, address: &Map<String, Value>) -> Result<()> {
        let mut row = vec![column("nkey", number_of(id))];
        for name in ["addressee", "attention", "addr1", "addr2", "addr3", "city", "state", "zip", "addrPhone"]
        {
            row.push(column(&name.to_ascii_lowercase(), cell(address.get(name))));
        }
        row.push(column("country", id_text(address.get("country"))));
        self.insert("transactionshippingaddress", &row)
    }

    fn insert(&self, table: &str, row: &[(String, Cell)]) -> Result<()> {
        let names: Vec<String> = row.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let places = vec!["?"; row.len()].join(", ");
        let sql = format!("insert into {table} ({}) values ({places})", names.join(", "));
        self.connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(row.iter().map(|(_, value)| value)))?;
        Ok(())
    }
}

fn unique_key(id: u64, line: i64) -> i64 {
    i64::try_from(id).unwrap_or_default().saturating_mul(10_000).saturating_add(line)
}

fn negated(amount: &str) -> String {
    match amount.strip_prefix('-') {
        Some(positive) => positive.to_owned(),
        None if amount.chars().all(|digit| matches!(digit, '0' | '.')) => amount.to_owned(),
        None => format!("-{amount}"),
    }
}

fn column(name: &str, value: Cell) -> (String, Cell) {
    (name.to_owned(), value)
}

fn number_of(id: u64) -> Cell {
    Cell::Integer(i64::try_from(id).unwrap_or(i64::MAX))
}

fn text_cell(text: &str) -> Cell {
    if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) }
}

/// A kept value as a cell: check boxes are `T` and `F`, references their id.
fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null | Value::Array(_)) => Cell::Null,
        Some(Value::Bool(yes)) => Cell::Text(if *yes { "T" } else { "F" }.to_owned()),
        Some(Value::String(text)) => text_cell(text),
        Some(Value::Number(number)) => Cell::Text(number.to_string()),
        Some(value @ Value::Object(_)) => id_cell(Some(value)),
    }
}

fn id_cell(value: Option<&Value>) -> Cell {
    value.and_then(reference).map_or_else(|| id_text(value), number_of)
}

fn id_text(value: Option<&Value>) -> Cell {
    value
        .and_then(|value| value.get("id"))
        .and_then(Value::as_str)
        .map_or(Cell::Null, |id| Cell::Text(id.to_owned()))
}

fn common(record: &Record) -> Row {
    let mut row = vec![
        column("id", number_of(record.id)),
        column("externalid", record.external_id.clone().map_or(Cell::Null, Cell::Text)),
        column("lastmodifieddate", Cell::Text(kept(record.modified))),
    ];
    for (name, value) in record.fields.iter().filter(|(name, _)| name.starts_with("cust")) {
        row.push(column(&name.to_ascii_lowercase(), cell(Some(value))));
    }
    row
}

fn fields(record: &Record, names: &[&str], row: &mut Row) {
    for name in names {
        row.push(column(&name.to_ascii_lowercase(), cell(record.fields.get(*name))));
    }
}

/// The row of a record that has no lines.
fn plain_row(record: &Record) -> Row {
    let mut row = vec![column("id", number_of(record.id))];
    let inactive = record.fields.get("isInactive").and_then(Value::as_bool).unwrap_or_default();
    row.push(column("isinactive", cell(Some(&inactive.into()))));
    match record.kind {
        "customer" => {
            let names = [
                "entityId",
                "companyName",
                "firstName",
                "lastName",
                "email",
                "phone",
                "isPerson",
                "subsidiary",
            ];
            fields(record, &names, &mut row);
            row.push(column("externalid", record.external_id.clone().map_or(Cell::Null, Cell::Text)));
            row.push(column("datecreated", Cell::Text(kept(record.created))));
            row.push(column("lastmodifieddate", Cell::Text(kept(record.modified))));
        }
        "currency" => {
            fields(record, &["name", "symbol"], &mut row);
            row.push(column("isbasecurrency", cell(Some(&(record.id == 1).into()))));
        }
        "priceLevel" => fields(record, &["name"], &mut row),
        _ => {
            fields(record, &["name"], &mut row);
            row.push(column("fullname", text_cell(record.text("name"))));
        }
    }
    row
}
