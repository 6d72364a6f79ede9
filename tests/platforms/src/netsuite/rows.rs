//! What the rows of a record are.

use rusqlite::Result;
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value};

use super::functions::{MARK, kept};
use super::ledger::{Ledger, Record, display_name, quantity_text, reference};
use super::records::total;
use super::show::item_type;
use super::tables::{FAMILY, Tables};

/// A row as names and values.
type Row = Vec<(String, Cell)>;

impl Tables {
    pub(super) fn item(&self, ledger: &Ledger, record: &Record) -> Result<()> {
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

    pub(super) fn transaction(&self, record: &Record) -> Result<()> {
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
            row.push(column("trandate", Cell::Text(format!("{MARK}{day} 00:00:00"))));
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

pub(super) fn column(name: &str, value: Cell) -> (String, Cell) {
    (name.to_owned(), value)
}

pub(super) fn number_of(id: u64) -> Cell {
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
pub(super) fn plain_row(record: &Record) -> Row {
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
